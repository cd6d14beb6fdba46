"""How the ERP spells field names: camelCase, except that UTC stays in capitals."""


def erp_name(field: str) -> str:
    """Turn `last_updated_utc` into `lastUpdatedUTC`."""
    first, *rest = field.split("_")
    return first + "".join("UTC" if word == "utc" else word.capitalize() for word in rest)
