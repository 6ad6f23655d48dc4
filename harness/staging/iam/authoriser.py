"""Stands in front of moto: each call is judged under the role that signed it, logged, and only then passed on.

The functions talk plain HTTP to loopback where they would talk TLS to AWS, so `aws:SecureTransport` is taken as true.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from harness.domain.cloud import CloudDefinition
from harness.staging.iam.evaluate import Call, Judgement, Ruling, evaluate
from harness.staging.iam.policy import Statement, parse_policy
from harness.staging.iam.requests import UNRECOGNISED, AskedFor, AwsRequest, asked_for

_FORWARD_TIMEOUT_S = 60.0
_MAX_BODY_BYTES = 64 * 1024 * 1024
_HOP_HEADERS = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCall:
    """One call in the log: who, what, on what, and the ruling."""

    role: str
    action: str
    resource: str
    ruling: Ruling


class Authoriser:
    """A server that speaks AWS's protocols and lets through what the policies allow."""

    def __init__(self, definition: CloudDefinition, *, upstream: str) -> None:
        self._definition = definition
        self._upstream = upstream
        self._roles = {access_key_id(role.name): role.name for role in definition.roles}
        self._identity = {
            role.name: tuple(s for text in role.policies for s in parse_policy(text, name=role.name))
            for role in definition.roles
        }
        self._buckets: Mapping[str, Sequence[Statement]] = {
            bucket.name: parse_policy(bucket.policy, name=bucket.name) if bucket.policy else ()
            for bucket in definition.buckets
        }
        self._secret_arns: dict[str, str] = {}
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.endpoint = ""
        self.calls: list[JudgedCall] = []

    async def start(self) -> None:
        """Listens on a free port of loopback."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_FORWARD_TIMEOUT_S), auto_decompress=False
        )
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.endpoint = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Ends the server; safe to call twice."""
        runner, self._runner = self._runner, None
        session, self._session = self._session, None
        if runner:
            await runner.cleanup()
        if session:
            await session.close()

    def use_secret_arns(self, arns: Mapping[str, str]) -> None:
        """Tells the full ARN, random suffix included, of each secret by its name."""
        self._secret_arns = dict(arns)

    def unused_statements(self, role: str) -> tuple[str, ...]:
        """The statements of a role that no call so far has rested on: granted, and not needed."""
        used = {sid for call in self.calls if call.role == role for sid in call.ruling.statements}
        return tuple(statement.sid for statement in self._identity[role] if statement.sid not in used)

    def judge(self, role: str, asked: AskedFor) -> Ruling:
        """The ruling on one action of a role, logged."""
        if asked.action.endswith(UNRECOGNISED):
            ruling = Ruling(judgement=Judgement.UNKNOWN)
        else:
            account = self._definition.account_id
            call = Call(
                principal=f"arn:aws:iam::{account}:role/{role}",
                action=asked.action,
                resource=self._full_arn(asked),
                context={**asked.context, **self._global_context(role)},
            )
            bucket = asked.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
            ruling = evaluate(call, identity=self._identity[role], resource=self._buckets.get(bucket, ()))
        self.calls.append(JudgedCall(role=role, action=asked.action, resource=asked.resource, ruling=ruling))
        return ruling

    def _full_arn(self, asked: AskedFor) -> str:
        if asked.secret is None:
            return asked.resource
        # A secret that does not exist has no suffix; any six characters stand for the one that it would have.
        return self._secret_arns.get(asked.secret, f"{asked.resource}-000000")

    def _global_context(self, role: str) -> Mapping[str, tuple[str, ...] | None]:
        account = self._definition.account_id
        return {
            "aws:securetransport": ("true",),
            "aws:requestedregion": (self._definition.region,),
            "aws:principalaccount": (account,),
            "aws:principalarn": (f"arn:aws:iam::{account}:role/{role}",),
            "aws:sourceip": ("127.0.0.1",),
        }

    async def _answer(self, incoming: web.Request) -> web.StreamResponse:
        request = AwsRequest(
            method=incoming.method,
            path=incoming.raw_path.partition("?")[0],
            query=incoming.query_string,
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=await incoming.read(),
        )
        signer = request.signer()
        role = self._roles.get(signer[0]) if signer else None
        if signer is None or role is None:
            return _denied(
                "", AskedFor(action="an action", resource="*"), "s3", "the request is signed by no known role"
            )
        _, region, service = signer
        asked = asked_for(request, region=region, service=service, account_id=self._definition.account_id)
        for one in asked:
            ruling = self.judge(role, one)
            if not ruling.is_allowed:
                return _denied(role, one, service, _because(ruling, one.action))
        return await self._forward(incoming, request)

    async def _forward(self, incoming: web.Request, request: AwsRequest) -> web.Response:
        assert self._session is not None  # noqa: S101 - start() comes first
        headers = {name: value for name, value in incoming.headers.items() if name.lower() not in _HOP_HEADERS}
        url = f"{self._upstream}{incoming.raw_path}"
        try:
            async with self._session.request(
                request.method, URL(url, encoded=True), headers=headers, data=request.body, allow_redirects=False
            ) as answer:
                kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_HEADERS]
                return web.Response(status=answer.status, headers=CIMultiDict(kept), body=await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.Response(status=503, text=f"moto does not answer: {type(error).__name__}")


def access_key_id(role: str) -> str:
    """The access key id by which the authoriser knows a role; the local cloud's stand-in for AssumeRole."""
    return "ASIA" + hashlib.sha256(role.encode()).hexdigest()[:16].upper()


def _because(ruling: Ruling, action: str) -> str:
    if ruling.judgement is Judgement.EXPLICITLY_DENIED:
        return f"because of an explicit deny in {', '.join(ruling.statements)}"
    if ruling.judgement is Judgement.UNKNOWN:
        return f"because the local cloud cannot judge {', '.join(ruling.statements) or action}: INCONCLUSIVE"
    return f"because no identity-based policy allows the {action} action"


def _denied(role: str, asked: AskedFor, service: str, reason: str) -> web.Response:
    subject = f"User: {role or 'anonymous'} is not authorized to perform: {asked.action}"
    message = f"{subject} on resource: {asked.resource} {reason}"
    if service == "s3":
        error = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
        body = f"<?xml version='1.0' encoding='UTF-8'?>{error}"
        return web.Response(status=403, text=body, content_type="application/xml")
    return web.json_response(
        {"__type": "AccessDeniedException", "Message": message, "message": message},
        status=400,
        content_type="application/x-amz-json-1.1",
    )
