"""What can go wrong on the way from the ERP, or a disk, into the lake.

::

    ProducerError
    ├── ConfigurationError        a setting or an argument; nothing was sent (exit code 2)
    ├── ErpError                  no answer that may be stored
    │   ├── ErpUnavailableError   no connection, timeout, 408/425/429/5xx: retried
    │   ├── ErpRefusedError       any other status: asking again will not help
    │   │   └── ErpUnauthorizedError   401: asked again once, with the token read anew
    │   └── AnswerRejectedError   status 200, but no document of the endpoint: retried
    ├── LakeError                 the object was not written
    │   ├── LakeUnavailableError  S3 throttles, fails or cannot be reached: retried by the SDK
    │   ├── LakeRefusedError      S3 will not take this object
    │   └── LakeClosedError       no bucket or no permission: every other object fails too
    ├── QueueError                the object is in the lake, but was not announced
    │   ├── QueueUnavailableError SQS throttles, fails or cannot be reached: retried
    │   ├── QueueRefusedError     SQS will not take this message
    │   └── QueueClosedError      no queue or no permission: every other message fails too
    ├── LeaseLostError            the store may be another producer's by now: the next round
    ├── NotJsonError              bytes that are no JSON text, and where they stop being one
    └── FileRejectedError         a file on disk that may not go into the lake

Errors are mapped where the foreign library is called, always `from exc`. They carry a code and
a remedy, and the message names what is wrong here; they never carry a document or a secret.
"""

from typing import ClassVar

from runtime.errors import EXIT_USAGE, ReportedError


class ProducerError(ReportedError):
    """Anything the producer reports instead of a traceback."""

    code: ClassVar[str] = "producer_error"
    #: What to do about it, in general; the message may know better.
    remedy: ClassVar[str] = "read the message"
    #: Whether the same call may succeed later without anybody changing anything.
    is_transient: ClassVar[bool] = False
    #: Whether every further object of the run is bound to fail in the same way.
    stops_the_run: ClassVar[bool] = False


class ConfigurationError(ProducerError):
    """A setting or an argument makes the run impossible; nothing has been sent."""

    exit_code = EXIT_USAGE
    code = "configuration"
    remedy = "correct the setting or the argument that the message names"


class ErpError(ProducerError):
    """The ERP gave no answer that may be stored."""

    code = "erp_error"


class ErpUnavailableError(ErpError):
    """The ERP could not be reached, took too long, or said to come back later.

    Args:
        message: What happened, without the address or the token.
        retry_after_seconds: How long the ERP asked to be left alone; None when it did not say.
    """

    code = "erp_unavailable"
    remedy = "run the same command again once the ERP answers: it asks for what is missing"
    is_transient = True

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ErpRefusedError(ErpError):
    """The ERP answered with a status that asking again will not change."""

    code = "erp_refused"
    remedy = "have endpoint, store and day enabled in the ERP, or leave them out of the command"


class ErpUnauthorizedError(ErpRefusedError):
    """The ERP does not know the token, or no longer."""

    code = "erp_unauthorized"
    remedy = "renew API_TOKEN, API_TOKEN_FILE or API_KEY, then run the same command again"


class AnswerRejectedError(ErpError):
    """The ERP answered 200 with something that is no document of the endpoint."""

    code = "answer_rejected"
    remedy = "run the same command again; if it stays so, ask who operates the ERP about that day"


class LakeError(ProducerError):
    """An object was not written to the lake."""

    code = "lake_error"


class LakeUnavailableError(LakeError):
    """S3 cannot be reached, throttles or fails, even after the SDK's own retries."""

    code = "lake_unavailable"
    remedy = "run the same command again once S3 answers: it goes on where it stopped"
    is_transient = True


class LakeRefusedError(LakeError):
    """S3 will not take this object; others may still be written."""

    code = "lake_refused"
    remedy = "correct the object's name or size, as S3's answer says"


class LakeClosedError(LakeError):
    """The bucket is missing or the credentials do not open it: nothing can be written."""

    code = "lake_closed"
    remedy = "check BUCKET_NAME, the AWS credentials and the permissions on the bucket"
    stops_the_run = True


class QueueError(ProducerError):
    """An event was not sent, though its object is in the lake."""

    code = "queue_error"


class QueueUnavailableError(QueueError):
    """SQS cannot be reached, throttles or fails, even after several attempts."""

    code = "queue_unavailable"
    remedy = "once SQS answers, producer publish with the prefix that the message names"
    is_transient = True


class QueueRefusedError(QueueError):
    """SQS will not take this message; others may still be sent."""

    code = "queue_refused"
    remedy = "correct the object's key, as SQS' answer says, and upload it under another"


class QueueClosedError(QueueError):
    """The queue is missing or the credentials do not open it: nothing can be sent."""

    code = "queue_closed"
    remedy = "check QUEUE_URL and sqs:SendMessage, then producer publish with the prefix named"
    stops_the_run = True


class LeaseLostError(ProducerError):
    """A store that was ours when the round began may be another producer's by now."""

    code = "lease_lost"
    remedy = "nothing: the next round asks again; if it comes often, raise RUN_LEASE_SECONDS"


class NotJsonError(ProducerError):
    """Bytes that are no JSON text; the message says where."""

    code = "not_json"
    remedy = "correct the text at the place that the message names"


class FileRejectedError(ProducerError):
    """A file that may not go into the lake as it is."""

    code = "file_rejected"
    remedy = "mend the file as the message says, then upload it again"
