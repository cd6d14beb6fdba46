"""The outside world on one machine: PostgreSQL, LocalStack and a simulated ERP API.

Never imported by the product.
"""
