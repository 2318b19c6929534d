"""The object store against boto3, which nobody here wrote."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulators.cdse import Emulator, Kind
from tests.emulators.s3 import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Connect = Callable[..., "S3Client"]


@pytest.fixture
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    with Emulator(tiny_archive, services=("s3",)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def session() -> Any:
    """Reading the definitions of the service takes longer than all requests together."""
    return boto3.session.Session()


@pytest.fixture
def connect(emulator: Emulator, session: Any) -> Iterator[Connect]:
    """A client as the documentation of the service tells to make it; no retries, so that refusals are seen."""
    made = []

    def client(key: str = ACCESS_KEY, secret: str = SECRET_KEY, **config: Any) -> "S3Client":
        options = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **config)
        found: S3Client = session.client(
            "s3",
            endpoint_url=emulator.addresses.s3,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name="default",
            config=options,
        )
        made.append(found)
        return found

    yield client
    for one in made:
        one.close()


@pytest.fixture
def product(emulator: Emulator) -> tuple[str, Path]:
    """Prefix of a product in the bucket, and its zip."""
    entry = next(entry for entry in emulator.products if "N0511_R122" in entry.name)
    assert entry.path is not None
    return entry.s3_path.removeprefix("/eodata/"), entry.path


def listed(client: "S3Client", prefix: str) -> dict[str, int]:
    """Key to size, all pages."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="eodata", Prefix=prefix)
    return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    """Status and code of a refusal."""
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


class TestListing:
    """boto3 lists the members of a product."""

    @pytest.mark.parametrize("page_size", [7, 1000])
    def test_shows_every_member_and_the_quicklook(
        self, emulator: Emulator, connect: Connect, product: tuple[str, Path], page_size: int
    ) -> None:
        prefix, path = product
        emulator.mounted["s3"].page_size = page_size
        with ZipFile(path) as archive:
            expected = {info.filename: info.file_size for info in archive.infolist() if not info.is_dir()}
        found = listed(connect(), f"{prefix}/")
        name = prefix.split("/")[-1]
        assert found.pop(f"{prefix}/{name.removesuffix('.SAFE')}-ql.jpg") > 0
        assert found == {f"{prefix.removesuffix(name)}{member}": size for member, size in expected.items()}
        assert len(emulator.asked("s3")) == (13 if page_size == 7 else 1)

    def test_shows_folders_by_a_delimiter(self, connect: Connect, product: tuple[str, Path]) -> None:
        answer = connect().list_objects_v2(Bucket="eodata", Prefix=f"{product[0]}/", Delimiter="/")
        folders = [one["Prefix"].removeprefix(f"{product[0]}/") for one in answer["CommonPrefixes"]]
        assert folders == ["DATASTRIP/", "GRANULE/", "HTML/"]
        assert answer["Name"] == "eodata"

    def test_forgets_what_was_withdrawn(self, emulator: Emulator, connect: Connect, product: tuple[str, Path]) -> None:
        client = connect()
        assert listed(client, product[0])
        emulator.products.withdraw(product[0].split("/")[-1])
        assert listed(client, product[0]) == {}

    def test_keeps_two_emulators_apart(self, tmp_path: Path, connect: Connect) -> None:
        before = listed(connect(), "Sentinel-2/")
        with Emulator(tmp_path, services=("s3",)):
            assert listed(connect(), "Sentinel-2/") == before


class TestObjects:
    """boto3 brings objects, whole and in part."""

    def test_come_whole(self, connect: Connect, product: tuple[str, Path], tmp_path: Path) -> None:
        prefix, path = product
        name = prefix.split("/")[-1]
        connect().download_file("eodata", f"{prefix}/manifest.safe", str(tmp_path / "manifest.safe"))
        with ZipFile(path) as archive:
            assert (tmp_path / "manifest.safe").read_bytes() == archive.read(f"{name}/manifest.safe")

    def test_come_in_part(self, connect: Connect, product: tuple[str, Path]) -> None:
        prefix, path = product
        name = prefix.split("/")[-1]
        answer = connect().get_object(Bucket="eodata", Key=f"{prefix}/manifest.safe", Range="bytes=100-199")
        with ZipFile(path) as archive:
            assert answer["Body"].read() == archive.read(f"{name}/manifest.safe")[100:200]
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206

    def test_have_etags_that_are_no_md5(self, connect: Connect, product: tuple[str, Path]) -> None:
        answer = connect().head_object(Bucket="eodata", Key=f"{product[0]}/manifest.safe")
        assert answer["ETag"].strip('"').endswith("-1")
        assert answer["ContentLength"] > 0

    def test_end_early_where_a_cut_is_played(
        self, emulator: Emulator, connect: Connect, product: tuple[str, Path]
    ) -> None:
        emulator.faults.next(Kind.CUT, on="s3")
        answer = connect().get_object(Bucket="eodata", Key=f"{product[0]}/manifest.safe")
        with pytest.raises(Exception, match="IncompleteRead"):
            answer["Body"].read()

    def test_are_refused_where_there_is_none(self, connect: Connect) -> None:
        with pytest.raises(ClientError) as error:
            connect().get_object(Bucket="eodata", Key="Sentinel-2/nowhere")
        assert refused(error) == (404, "NoSuchKey")


class TestDoor:
    """Who does not sign as the service wants it is refused, as the service refuses."""

    def test_unknown_key(self, connect: Connect) -> None:
        with pytest.raises(ClientError) as error:
            connect(key="SOMEBODYELSE").list_objects_v2(Bucket="eodata")
        assert refused(error) == (403, "InvalidAccessKeyId")

    def test_wrong_secret(self, connect: Connect) -> None:
        with pytest.raises(ClientError) as error:
            connect(secret="wrong").list_objects_v2(Bucket="eodata")
        assert refused(error) == (403, "SignatureDoesNotMatch")

    def test_no_signature(self, connect: Connect) -> None:
        with pytest.raises(ClientError) as error:
            connect(signature_version=UNSIGNED).list_objects_v2(Bucket="eodata")
        assert refused(error) == (403, "AccessDenied")

    def test_signature_in_the_address(self, connect: Connect, product: tuple[str, Path]) -> None:
        named = {"Bucket": "eodata", "Key": f"{product[0]}/manifest.safe"}
        url = connect().generate_presigned_url("get_object", Params=named)
        answer = requests.get(url, timeout=20)
        assert answer.status_code == 403
        assert "<Code>InvalidAccessKeyId</Code>" in answer.text

    def test_wrong_clock(self, emulator: Emulator, connect: Connect) -> None:
        emulator.mounted["s3"].clock_ahead_s = 3600
        with pytest.raises(ClientError) as error:
            connect().list_objects_v2(Bucket="eodata")
        assert refused(error) == (403, "RequestTimeTooSkewed")

    @pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (429, "TooManyRequests")])
    def test_too_many_requests(self, emulator: Emulator, connect: Connect, status: int, code: str) -> None:
        emulator.mounted["s3"].refusals.append((status, code))
        client = connect()
        with pytest.raises(ClientError) as error:
            client.list_objects_v2(Bucket="eodata")
        assert refused(error) == (status, code)
        assert client.list_objects_v2(Bucket="eodata", MaxKeys=1)["KeyCount"] == 1

    def test_writing(self, connect: Connect) -> None:
        with pytest.raises(ClientError) as error:
            connect().delete_object(Bucket="eodata", Key="x")
        assert refused(error) == (403, "AccessDenied")
