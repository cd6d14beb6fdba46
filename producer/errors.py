"""The producer's errors.

::

    ProducerError
    ├── ErpError      ErpUnavailable, ErpMisconfigured, ErpRefused, ErpUnauthorized, AnswerRejected
    ├── LakeError     LakeUnavailable, LakeRefused, LakeClosed
    ├── QueueError    QueueUnavailable, QueueRefused, QueueClosed
    ├── LeaseLost
    └── FileRejected

They are mapped where the foreign library is called, and never hold a document or a secret.
"""

from typing import ClassVar

from runtime.errors import ReportedError


class ProducerError(ReportedError):
    """Base of all; reported to people instead of a traceback."""

    code: ClassVar[str] = "producer_error"
    #: What to do about it in general; the message may be more specific.
    remedy: ClassVar[str] = "read the message"
    #: Whether the same call may succeed later by itself.
    is_transient: ClassVar[bool] = False
    #: Whether every other object of the run would fail in the same way.
    stops_the_run: ClassVar[bool] = False


class ErpError(ProducerError):
    """The ERP gave no answer that may be stored."""


class ErpUnavailable(ErpError):
    """The ERP could not be reached, took too long, or asked to come back later."""

    code = "erp_unavailable"
    remedy = "once the ERP answers, run the same command again; it pulls what is missing"
    is_transient = True

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds  # None when the ERP did not ask to wait


class ErpMisconfigured(ErpError):
    """The connection cannot be made as configured: TLS, the proxy or the address."""

    code = "erp_misconfigured"
    remedy = "correct the address, certificate or proxy in the message, then run the command again"
    stops_the_run = True


class ErpRefused(ErpError):
    """The ERP answered with a status that asking again will not change."""

    code = "erp_refused"
    remedy = "have endpoint, store and day enabled in the ERP, or leave them out of the command"


class ErpUnauthorized(ErpRefused):
    """The ERP does not accept the token, or no longer."""

    code = "erp_unauthorized"
    remedy = "renew API_TOKEN, API_TOKEN_FILE or API_KEY, then run the same command again"


class AnswerRejected(ErpError):
    """The ERP answered 200 with something other than the document asked for."""

    code = "answer_rejected"
    remedy = "run the same command again; if it fails again, ask the ERP's operators about that day"

    def __init__(self, message: str, *, ask_again: bool = True) -> None:
        super().__init__(message)
        self.ask_again = ask_again  # whether another answer may be expected


class LakeError(ProducerError):
    """An object was not written to the lake."""


class LakeUnavailable(LakeError):
    """S3 cannot be reached, throttles or fails, even after the SDK's own retries."""

    code = "lake_unavailable"
    remedy = "once S3 answers, run the same command again; it resumes where it stopped"
    is_transient = True


class LakeRefused(LakeError):
    """S3 does not accept this object; others may still be written."""

    code = "lake_refused"
    remedy = "correct the object's name or size, as the message says"


class LakeClosed(LakeError):
    """The bucket is missing or access to it is denied: nothing can be written."""

    code = "lake_closed"
    remedy = "check BUCKET_NAME, the AWS credentials and the permissions on the bucket"
    stops_the_run = True


class QueueError(ProducerError):
    """An event was not sent, though its object is in the lake."""


class QueueUnavailable(QueueError):
    """SQS cannot be reached, throttles or fails, even after several attempts."""

    code = "queue_unavailable"
    remedy = "once SQS answers, run `producer publish` with the prefix in the message"
    is_transient = True


class QueueRefused(QueueError):
    """SQS does not accept this message; others may still be sent."""

    code = "queue_refused"
    remedy = "upload the object under another key, as the message says"


class QueueClosed(QueueError):
    """The queue is missing or access to it is denied: nothing can be sent."""

    code = "queue_closed"
    remedy = "check QUEUE_URL and sqs:SendMessage, then run `producer publish` with that prefix"
    stops_the_run = True


class LeaseLost(ProducerError):
    """Another producer may pull the store by now."""

    code = "lease_lost"
    remedy = "nothing to do: the next round asks again; if frequent, raise RUN_LEASE_SECONDS"


class FileRejected(ProducerError):
    """A file that may not be uploaded as it is."""

    code = "file_rejected"
    remedy = "correct the file as the message says, then upload it again"
