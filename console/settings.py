"""The console's settings, beside those of the consumer's that it shares."""

from pydantic import Field

from consumer.settings import ConsumerSettings


class ConsoleSettings(ConsumerSettings):
    """Where the console listens."""

    console_host: str = Field("127.0.0.1", description="Address the console listens on.")
    console_port: int = Field(8090, ge=0, le=65535, description="Port the console listens on.")
