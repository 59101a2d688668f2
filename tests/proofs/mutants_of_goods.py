"""Breakages where units are bought, delivered and repaired, and where codes are kept."""

from typing import Final

from tests.proofs.mutant import Mutant

_PIPELINE: Final = ("fulfillment/tests/test_pipeline.py",)
_ACCIDENTS: Final = ("fulfillment/tests/test_pipeline_accidents.py", *_PIPELINE)
_TABLES: Final = ("fulfillment/tests/test_recovery_tables.py",)
_BY_HAND: Final = ("fulfillment/tests/test_manual_code.py", *_TABLES)
_REFUNDED: Final = ("fulfillment/tests/test_refunded_units.py",)
_IMPORTS: Final = ("vouchers/tests/test_imports.py",)

OF_GOODS: Final = {
    "who lost the lease goes on buying": Mutant(
        "fulfillment/purchasing.py",
        "pk=attempt.pk, status=AttemptStatus.IN_PROGRESS, claimed_at=attempt.claimed_at\n",
        "pk=attempt.pk, status=AttemptStatus.IN_PROGRESS\n",
        ("fulfillment/tests/test_instants.py",),
    ),
    "an attempt under way is taken by the next": Mutant(
        "fulfillment/issuing.py",
        "filter(claimable(now=now), order=order, item__isnull=False)",
        "filter(status='IN_PROGRESS', order=order, item__isnull=False)",
        _ACCIDENTS,
    ),
    "an answer that came second counts": Mutant(
        "fulfillment/purchasing.py",
        "        if purchase.status not in UNDER_WAY:\n",
        "        if False:\n",
        ("fulfillment/tests/test_instants.py",),
    ),
    "one reference is sent again by two": Mutant(
        "fulfillment/purchasing.py",
        "pk=purchase.pk, status=PurchaseStatus.UNKNOWN, sent_at=purchase.sent_at\n",
        "pk=purchase.pk\n",
        ("tests/races/test_captures_and_purchases.py",),
    ),
    "bought within a transaction": Mutant(
        "fulfillment/partners/zendit.py",
        "    @durable\n    def purchase(",
        "    def purchase(",
        ("tests/architecture/test_durable.py",),
    ),
    "a surplus code fills a unit that has one": Mutant(
        "fulfillment/purchasing.py", "        if _filled(purchase):\n", "        if False:\n",
        (*_ACCIDENTS, *_REFUNDED),
    ),
    "a refunded unit is bought": Mutant(
        "fulfillment/purchasing.py",
        "        _refunded(item.pk, unit_no)\n        or Voucher",
        "        Voucher",
        ("fulfillment/tests/test_instants.py",),
    ),
    "delivered units are paid back without a word": Mutant(
        "fulfillment/refunds.py", "    if codes and not revoking:\n", "    if False:\n", _REFUNDED
    ),
    "held for risk, and fulfilled": Mutant(
        "fulfillment/issuing.py",
        "if order.status not in OPEN or order.held_for_risk:",
        "if order.status not in OPEN:",
        ("fulfillment/tests/test_instants.py",),
    ),
    "a partner that is silent is asked on and on": Mutant(
        "fulfillment/issuing.py",
        "return attempt.type != AttemptType.AUTO or allows(",
        "return True or allows(",
        ("fulfillment/tests/test_breaker.py",),
    ),
    "a notice wakes what is being sent": Mutant(
        "fulfillment/webhooks.py",
        "PartnerTransaction.objects.filter(waiting, pk=purchase.pk)",
        "PartnerTransaction.objects.filter(pk=purchase.pk)",
        ("fulfillment/tests/test_webhooks.py",),
    ),
    "one notice is kept again and again": Mutant(
        "fulfillment/webhooks.py",
        "    digest = hashlib.sha256(body).digest()\n",
        "    digest = hashlib.sha256(body + str(now).encode()).digest()\n",
        ("fulfillment/tests/test_webhooks.py",),
    ),
    "an item at work is repaired": Mutant(
        "fulfillment/recovery/codes.py", "    free_to_work(item, now=now)\n", "", _BY_HAND
    ),
    "one code fills two units": Mutant(
        "fulfillment/recovery/codes.py", "        if digest in seen:\n", "        if False:\n",
        _BY_HAND,
    ),
    "a void code is delivered": Mutant(
        "fulfillment/recovery/codes.py",
        "        if row.status == VoucherStatus.VOID:\n", "        if False:\n", _BY_HAND,
    ),
    "a code of other goods is delivered": Mutant(
        "fulfillment/recovery/codes.py",
        "        if row.variant_id != standing.item.variant_id:\n", "        if False:\n", _BY_HAND,
    ),
    "more codes than are owed": Mutant(
        "fulfillment/recovery/codes.py",
        "    _counts(given, standing, fresh=len(fresh), repeats=repeats)\n", "", _BY_HAND,
    ),
    "a key of a request serves another request": Mutant(
        "core/api/idempotency.py", "    if bytes(row.digest) != digest:\n", "    if False:\n",
        ("core/tests/test_idempotency.py",),
    ),
    "the same request runs twice at once": Mutant(
        "core/api/idempotency.py", "    if not abandoned:\n", "    if False:\n",
        ("core/tests/test_idempotency.py",),
    ),
}  # fmt: skip

OF_CODES: Final = {
    "expired codes are sold": Mutant(
        "vouchers/services.py",
        "    AND (expires_at IS NULL OR expires_at > %(now)s)\n", "",
        ("vouchers/tests/test_services.py", *_PIPELINE),
    ),
    "a code sold a moment ago is sold as typed": Mutant(
        "vouchers/services.py",
        "Voucher.objects.filter(pk=voucher.pk, status=voucher.status)",
        "Voucher.objects.filter(pk=voucher.pk)",
        ("vouchers/tests/test_services.py", "tests/races/test_stock.py", *_BY_HAND),
    ),
    "sold codes are made void with the rest": Mutant(
        "vouchers/imports.py",
        "rows.filter(status=VoucherStatus.AVAILABLE).update(", "rows.update(", _IMPORTS,
    ),
    "a chunk is loaded twice": Mutant(
        "vouchers/loading.py",
        "        if chunk.loaded_at is not None:\n            return\n", "",
        (*_IMPORTS, "tests/races/test_imports.py"),
    ),
    "an import's claim is ignored": Mutant(
        "vouchers/loading.py",
        "pk=batch.pk, claimed_at=batch.claimed_at, status=batch.status\n",
        "pk=batch.pk\n",
        (*_IMPORTS, "tests/races/test_imports.py"),
    ),
    "an import's progress is written without its codes": Mutant(
        "vouchers/loading.py",
        "        added = _added(batch, rows)\n", "        added = len(rows)\n", _IMPORTS,
    ),
    "every code under one nonce": Mutant(
        "vouchers/ciphers.py", "nonce = os.urandom(_NONCE_BYTES)", "nonce = bytes(_NONCE_BYTES)",
        ("vouchers/tests/test_ciphers.py",),
    ),
    "a sealed value fits any place": Mutant(
        "vouchers/ciphers.py",
        "return json.loads(unseal_bytes(sealed, context=context))",
        'return json.loads(unseal_bytes(sealed, context="voucher"))',
        ("vouchers/tests/test_ciphers.py",),
    ),
    "a fingerprint anybody can make": Mutant(
        "vouchers/ciphers.py", "hmac.new(settings.CODE_FINGERPRINT_KEY, message",
        'hmac.new(b"", message', ("vouchers/tests/test_ciphers.py",),
    ),
    "the same code in capitals is another": Mutant(
        "vouchers/ciphers.py",
        'unicodedata.normalize("NFKC", code).casefold())\n    return "".join',
        'unicodedata.normalize("NFKC", code))\n    return "".join',
        ("vouchers/tests/test_ciphers.py",),
    ),
    "new codes under an old key": Mutant(
        "vouchers/ciphers.py", "next(iter(settings.CODE_KEYS.items()))",
        "list(settings.CODE_KEYS.items())[-1]",
        ("vouchers/tests/test_ciphers.py", "bdvoucher/tests/test_rotation.py"),
    ),
}  # fmt: skip
