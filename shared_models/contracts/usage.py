"""Usage files and the error pool as they are shown."""

from __future__ import annotations

from pydantic import Field

from shared_models.contracts.base import Contract, MicroYuanField, PageOf


class UsageFileReport(Contract):
    """What became of a usage file. read = accepted + rejected + duplicate."""

    file_no: int
    file_name: str
    sha256: str
    format_code: str
    state: str = Field(description="registered | importing | done")
    record_count: int = Field(description="records as they lie in the file")
    joined_count: int = Field(description="of them, parts that became one call with another record")
    read_count: int
    accepted_count: int
    traffic_count: int = Field(default=0, description="of the accepted: incoming and transit calls, never priced")
    rejected_count: int
    duplicate_count: int
    charge_micro_yuan: MicroYuanField
    reasons: dict[str, int] = Field(default_factory=dict, description="rejected, by reason")


class PooledUsage(Contract):
    """A record set aside, with its reason."""

    period: int
    file_no: int
    file_pos: int = Field(description="byte offset in a binary file, line number in a text file")
    reason: str
    state: str
    owner_key: str
    started: str
    duration_s: int | None
    called: str
    raw_record: str


class PooledUsagePage(PageOf):
    """Some records of the error pool, in key order."""

    items: tuple[PooledUsage, ...]


class RetryReport(Contract):
    """What a retry of the error pool did."""

    tried_count: int
    rated_count: int
    left_count: int
    charge_micro_yuan: MicroYuanField


class AgreementVersion(Contract):
    """Operators, trunk groups and settlement rates as imported."""

    version_no: int
    operator_count: int
    trunk_count: int
    rate_count: int
