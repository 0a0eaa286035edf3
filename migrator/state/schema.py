"""The tables of the state, one schema for SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

ledger = Table(
    "migrator_ledger",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", String(32), nullable=False),
    Column("subject", String(32), nullable=False),
    Column("action", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("intent", BigInteger),
    Column("body", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

checkpoints = Table(
    "migrator_checkpoint",
    metadata,
    Column("subject", String(32), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),
)

locks = Table(
    "migrator_lock",
    metadata,
    Column("subject", String(32), primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("holder", String(128), nullable=False),
    Column("expires_at", String(32), nullable=False),
)

drain_counts = Table(
    "migrator_drain_count",
    metadata,
    Column("at", String(32), primary_key=True),
    Column("holding", BigInteger, nullable=False),
)

forecasts = Table(
    "migrator_forecast",
    metadata,
    Column("at", String(32), primary_key=True),
    Column("rest", BigInteger, primary_key=True),
    Column("p50", String(32)),
    Column("p90", String(32)),
    Column("why", Text, nullable=False),
)

health_counts = Table(
    "migrator_health",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("began", String(32), nullable=False),
    Column("ended", String(32), nullable=False, index=True),
    Column("counts", Text, nullable=False),
    Column("covered_s", Float, nullable=False),
    Column("base", Text),
    Column("merged", Boolean, nullable=False),
)

samples = Table(
    "migrator_sample",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("gate", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("grade", String(16), nullable=False),
    Column("value", Float),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    # A gate's newest samples out of those of months.
    Index("ix_migrator_sample_gate_at", "gate", "at"),
)

outbox = Table(
    "migrator_outbox",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("event", String(64), nullable=False),
    Column("receiver", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("next_at", String(32), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
)
