"""An object store that speaks S3, asked through boto3: path style, signed headers, one attempt at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from senard import __version__
from senard.errors import RequestError, SenardError, TransientError
from senard.io.connections import Connections
from senard.io.credentials import S3Keys
from senard.io.http import PassingRefusal, Reply
from senard.io.replies import Failure, cause, retry_after_s
from senard.io.retries import retrying
from senard.io.transfer import GoneError
from senard.model.access import Pace

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_REGION = "default"
"""The store of the Copernicus Data Space takes any."""

_READ_BYTES = 32 * 1024
"""Read at once: a smaller piece than any stall rule counts, so that a trickle is noticed, bytes."""

_CLOCK_TOLERANCE_S = 300.0
"""A signature is good for five minutes of difference between the clocks, 15 at some stores, s."""

_WAYS_OUT: Mapping[str, str] = {
    "InvalidAccessKeyId": "The store does not know this access key: it has expired or was deleted. Make a new pair at "
    "https://eodata-s3keysmanager.dataspace.copernicus.eu and give it to senard",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key. Copy the pair once more, or make a "
    "new one at https://eodata-s3keysmanager.dataspace.copernicus.eu",
    "AccessDenied": "The store wants a key pair that may read this. Check the account's rights and its quota of the "
    "month in a browser, or make a new pair at https://eodata-s3keysmanager.dataspace.copernicus.eu",
}
"""Code of a 403 to what a person does about it."""


class AbsentError(GoneError):
    """The object, or everything under a prefix, is not in the store."""


class ObjectStore:
    """One store, asked with one key pair."""

    def __init__(self, address: str, keys: S3Keys, pace: Pace) -> None:
        """Nothing is asked yet.

        Args:
            address: base address: "https://eodata.dataspace.copernicus.eu".
            keys: sign every request.
            pace: time-outs and attempts.
        """
        self._address, self._pace, self._found_in = address, pace, keys.found_in
        self._client = _client(address, keys, pace)

    def list(self, bucket: str, prefix: str, *, what: str) -> Mapping[str, int]:
        """Objects below a prefix that ends with a slash: place below it to size, bytes.

        Raises:
            AbsentError: there are none.
            TransientError: the store did not answer, as often as `pace.retries` allows.
            RequestError: it refuses the keys.
        """
        sizes = retrying(self._pace)(self._listed, bucket, prefix, what)
        if not sizes:
            raise AbsentError(f"{what}: nothing lies below /{bucket}/{prefix}. Take another source.")
        return sizes

    def _listed(self, bucket: str, prefix: str, what: str) -> dict[str, int]:
        try:
            pages = list(self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        except (ClientError, BotoCoreError, *Failure) as error:
            failed = self._explained(error, what)
        else:
            objects = [entry for page in pages for entry in page.get("Contents", [])]
            return {
                entry["Key"].removeprefix(prefix): entry["Size"] for entry in objects if not entry["Key"].endswith("/")
            }
        raise failed  # out here it has no context: the frames below hold the signature

    @contextmanager
    def opened(
        self, bucket: str, key: str, headers: Mapping[str, str], connections: Connections, *, what: str
    ) -> Iterator[Reply]:
        """Ask once for an object, as `senard.io.transfer.Opener`.

        Args:
            bucket: "eodata".
            key: object.
            headers: Range, or nothing.
            connections: a slot of them is held as long as the reply is open.
            what: for messages.

        Raises:
            AbsentError: there is no such object.
            TransientError: no answer, or the store is busy.
            RequestError: it refuses the keys.
        """
        with connections.slot() as slot:
            reply = self._asked(bucket, key, headers, what)
            try:
                yield reply
            except BaseException:
                slot.lingers()
                raise
            finally:
                reply.close()

    def _asked(self, bucket: str, key: str, headers: Mapping[str, str], what: str) -> Reply:
        wanted = next((value for name, value in headers.items() if name.lower() == "range"), "")
        url = f"{self._address}/{bucket}/{key}"
        try:
            if wanted:
                found = self._client.get_object(Bucket=bucket, Key=key, Range=wanted)
            else:
                found = self._client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if _status(error) == 416:
                return _S3Reply(416, _headers(error.response), url, None, self._pace.read_timeout_s)
            failed = self._explained(error, what)
        except (BotoCoreError, *Failure) as error:
            failed = self._explained(error, what)
        else:
            answer = found["ResponseMetadata"]
            return _S3Reply(answer["HTTPStatusCode"], _headers(found), url, found["Body"], self._pace.read_timeout_s)
        raise failed

    def _explained(self, error: Exception, what: str) -> SenardError:
        """What boto3 raised, in the family of errors that says what is done about it."""
        where = f"{what} ({self._address})"
        if not isinstance(error, ClientError):
            return TransientError(
                f"{where}: {cause(error, self._pace.read_timeout_s)}. Check the network and --s3-url."
            )
        status, code = _status(error), str(error.response.get("Error", {}).get("Code", ""))
        if status == 404:
            return AbsentError(f"{where} is not there ({code}). Take another source, or search the catalogue again.")
        if status in (400, 401, 403) and code != "RequestTimeout":  # a slow network, told as 400
            return self._refused(error, code, where)
        return PassingRefusal(
            f"{where} was answered with {status} {code}: the store is busy. Try again later, with fewer processes.",
            status=status,
            code=code,
            retry_after_s=retry_after_s(_headers(error.response)),
        )

    def _refused(self, error: ClientError, code: str, where: str) -> RequestError:
        skew_s = _skew_s(_headers(error.response))
        if code == "RequestTimeTooSkewed" or (code == "SignatureDoesNotMatch" and abs(skew_s) > _CLOCK_TOLERANCE_S):
            ways = "behind" if skew_s > 0 else "ahead of"
            by = f"{abs(skew_s):.0f} s {ways} the store's" if abs(skew_s) > 1 else "too far from the store's"
            return RequestError(
                f"{where} refuses the signature, because this computer's clock is {by}: at most "
                f"{_CLOCK_TOLERANCE_S:.0f} s are allowed. Set the clock (timedatectl set-ntp true), run again."
            )
        known = _WAYS_OUT.get(code, "The store refuses the request. Check the key pair and --s3-url")
        return RequestError(f"{where} was answered with {_status(error)} {code}. {known} (found in {self._found_in}).")


class _S3Reply(Reply):
    """An answer of the store as the transfer reads it."""

    def __init__(self, status: int, headers: Mapping[str, str], url: str, body: Any, patience_s: float) -> None:
        self._body = body
        response = requests.Response()
        response.status_code, response.url = status, url
        response.headers.update(headers)
        super().__init__(response, patience_s=patience_s)

    def read1(self, amount: int) -> bytes:
        """As `Reply.read1`."""
        if self._body is None:
            return b""
        try:
            data: bytes = self._body.read(min(amount, _READ_BYTES))
        except (BotoCoreError, *Failure) as error:
            why = cause(error, self._patience_s)
        else:
            self._received += len(data)
            return data
        raise TransientError(f"{self.url}: {why} after {self._received} bytes. Try again.")

    def close(self) -> None:
        """Break the connection off."""
        if self._body is not None:
            self._body.close()


def _client(address: str, keys: S3Keys, pace: Pace) -> "S3Client":
    """A client that knows what it is told here and nothing else: no profile, no file of ~/.aws."""
    unset = {"profile": (None, None, None, None), "config_file": (None, None, None, None)}
    core = botocore.session.Session(session_vars={**unset, "credentials_file": (None, None, None, None)})
    session = boto3.session.Session(
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key.reveal(),
        region_name=_REGION,
        botocore_session=core,
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1, "mode": "standard"},  # senard's own pauses obey Retry-After
        connect_timeout=pace.connect_timeout_s,
        read_timeout=pace.read_timeout_s,
        user_agent_extra=f"senard/{__version__}",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=address, config=config)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _headers(response: Mapping[str, Any]) -> Mapping[str, str]:
    return requests.structures.CaseInsensitiveDict(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def _skew_s(headers: Mapping[str, str]) -> float:
    """How far this computer's clock is behind the store's, s; 0 where the store does not tell its time."""
    try:
        return (parsedate_to_datetime(headers["Date"]) - datetime.now(UTC)).total_seconds()
    except (KeyError, ValueError, TypeError):
        return 0.0
