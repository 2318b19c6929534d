"""Bodies of the refusals, as the services word them."""

import json
from dataclasses import dataclass, field

from tests.emulators.faults import Kind

JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer without a product."""

    status: int
    """HTTP status."""

    body: bytes = b""
    """As it is sent."""

    content_type: str = JSON_TYPE
    """Of the body."""

    headers: dict[str, str] = field(default_factory=dict)
    """Further headers."""


def zipper_refusal(status: int, code: str, message: str) -> Refusal:
    """A refusal of the download service: code "DAT-ZIP-604"."""
    return Refusal(status=status, body=json.dumps({"code": code, "message": message}).encode())


def page(status: int, text: str) -> Refusal:
    """An HTML page, as proxies and load balancers show it."""
    html = f"<!DOCTYPE html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Refusal(status=status, body=html.encode(), content_type=HTML_TYPE)


def too_many(limit: int, number: int = 0) -> Refusal:
    """More connections than the account may have, in the two wordings that were seen."""
    message = f"Max session number {limit} exceeded." if number % 2 else "Max session number exceeded"
    return zipper_refusal(429, "DAT-ZIP-100", message)


def firewall() -> Refusal:
    """The firewall's own 429; it promises no Retry-After."""
    body = {"error": "WAF", "message": "Rate limit exceeded", "status": 429}
    return Refusal(status=429, body=json.dumps(body).encode())


def _error_500() -> Refusal:
    body = {"code": "DAT-ZIP-500", "message": "Internal server error", "trace-id": "0af7651916cd43dd8448eb211c80319c"}
    return Refusal(status=500, body=json.dumps(body).encode())


def _grant_refusal(status: int, words: str) -> Refusal:
    body = {"error": "invalid_grant", "error_description": words}
    return Refusal(status=status, body=json.dumps(body).encode())


_EMPTY_503 = Refusal(status=503, content_type="")

REFUSALS: dict[Kind, Refusal] = {
    Kind.TOKEN_NOT_FOUND: zipper_refusal(401, "DAT-ZIP-604", "Token not found"),
    Kind.TOKEN_EXPIRED: zipper_refusal(401, "DAT-ZIP-109", "The token is expired"),
    Kind.TOKEN_AUDIENCE: zipper_refusal(401, "DAT-ZIP-609", "Token audience not allowed"),
    Kind.LICENCE: zipper_refusal(403, "DAT-ZIP-608", "Licence not accepted"),
    Kind.MALFORMED_PATH: zipper_refusal(400, "DAT-ZIP-104", "Malformed OData request path"),
    Kind.NOT_FOUND: Refusal(status=404, body=b'{"detail":"Product not found"}'),
    Kind.MALFORMED_UUID: zipper_refusal(422, "DAT-ZIP-111", "Product id is not a valid UUID"),
    Kind.TOO_MANY: too_many(4),
    Kind.FIREWALL: firewall(),
    Kind.ERROR_500: _error_500(),
    Kind.ERROR_502: page(502, "502 Bad Gateway"),
    Kind.ERROR_503: page(503, "503 Service Temporarily Unavailable"),
    Kind.ERROR_503_EMPTY: _EMPTY_503,
    Kind.ERROR_504: page(504, "504 Gateway Time-out"),
    Kind.HTML_200: page(200, "The service is under maintenance"),
    Kind.JSON_200: Refusal(status=200, body=b'{"detail":"Service temporarily unavailable"}'),
    Kind.EMPTY_200: Refusal(status=200, content_type=""),
    Kind.SESSION_ENDED: _grant_refusal(400, "Session not active"),
    Kind.SESSION_CAP: _grant_refusal(401, "Invalid user credentials"),
    Kind.RANGE_REFUSED: zipper_refusal(400, "DAT-ZIP-105", "Range header is not supported"),
}
"""Answers that need nothing but the kind. RANGE_REFUSED: the wording of 2024 is not recorded."""
