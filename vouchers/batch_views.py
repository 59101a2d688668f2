"""Imports of codes by API: begun, looked at, let in or left."""

import json
from typing import Any, Final, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from accounts.models import User
from core.api.envelope import ok
from core.api.fields import NoBody
from core.api.idempotency import idempotent
from core.api.lists import page_of
from core.api.permissions import StaffMay
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import NotFound
from fulfillment.services import wake_import
from vouchers import batch_examples as examples
from vouchers.batch_serializers import (
    BatchRowSchema,
    BatchSchema,
    NewBatchSerializer,
    batch_data,
    line_data,
)
from vouchers.imports import About, begin_import, cancel_import, confirm_import
from vouchers.models import Batch
from vouchers.states import FROM_API

BATCH: Final = in_path("batch_id", "The import's `id`.", int)
LIMIT: Final = 20
ROWS_LIMIT: Final = 50
TAG: Final = ["Code imports"]
VIEW, IMPORT = "vouchers.view_batch", "vouchers.add_batch"


class ImportView(APIView):
    authentication_classes = [StaffAuthentication]
    permission_classes = [StaffMay]
    required_permission: Any = IMPORT

    @staticmethod
    def batch(batch_id: int) -> Batch:
        found = Batch.objects.filter(pk=batch_id).first()
        if found is None:
            raise NotFound("There is no such import.")
        return found


@extend_schema(tags=TAG)
class BatchesView(ImportView):
    required_permission: Any = {"GET": VIEW, "POST": IMPORT}

    @extend_schema(
        operation_id="adminListBatches",
        summary="List imports of codes",
        description="For staff who may view batches; newest first.",
        parameters=paging(LIMIT),
        responses=answers("BatchList", page_schema("BatchList", BatchSchema), 400),
        examples=examples.LIST,
    )
    def get(self, request: Request) -> Response:
        rows = Batch.objects.order_by("-pk")
        return ok(page_of(rows, request.query_params, default_limit=LIMIT).as_data(batch_data))

    @extend_schema(
        operation_id="adminImportCodes",
        summary="Import codes",
        description="For staff who may import. The codes are kept sealed and read in the "
        "background: each that nobody holds goes into the pool once, and waiting orders are "
        "served, oldest first. What is left out, and why, stands in `rows`. With `preview` "
        "nothing goes into the pool before `confirm`. A body holds 1 MB; send more in parts.",
        request=NewBatchSerializer,
        responses=answers("BatchBegun", BatchSchema(), status=201),
        examples=examples.IMPORT,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        form = NewBatchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        about = About(data["variant_id"], data["supplier"], data["unit_cost"], data["expires_at"])
        batch = begin_import(
            about,
            json.dumps(data["codes"]).encode(),
            file_name=FROM_API,
            by_id=cast("User", request.user).pk,
            asks=data["preview"],
        )
        wake_import(batch.pk)
        return ok(batch_data(batch), "The codes are read in the background.", status=201)


@extend_schema(tags=TAG)
class BatchView(ImportView):
    required_permission = VIEW

    @extend_schema(
        operation_id="adminGetBatch",
        summary="See how far an import is",
        description="For staff who may view batches. Reads only.",
        parameters=[BATCH],
        responses=answers("Batch", BatchSchema()),
        examples=examples.DETAIL,
    )
    def get(self, request: Request, batch_id: int) -> Response:  # noqa: ARG002
        return ok(batch_data(self.batch(batch_id)))


@extend_schema(tags=TAG)
class BatchRowsView(ImportView):
    required_permission = VIEW

    @extend_schema(
        operation_id="adminListBatchRows",
        summary="Read what an import left out",
        description="For staff who may view batches: row by row, with the reason; codes are "
        "masked. Rows that are not here were added, or are still to come.",
        parameters=[BATCH, *paging(ROWS_LIMIT)],
        responses=answers("BatchRows", page_schema("BatchRows", BatchRowSchema), 400),
        examples=examples.ROWS,
    )
    def get(self, request: Request, batch_id: int) -> Response:
        rows = self.batch(batch_id).lines.order_by("row_no", "place")
        return ok(page_of(rows, request.query_params, default_limit=ROWS_LIMIT).as_data(line_data))


@extend_schema(tags=TAG)
class ConfirmBatchView(ImportView):
    @extend_schema(
        operation_id="adminConfirmBatch",
        summary="Let a previewed import in",
        description="For staff who may import. Its good rows go into the pool in the background.",
        parameters=[BATCH],
        request=None,
        responses=answers("BatchConfirmed", BatchSchema()),
        examples=examples.CONFIRM,
    )
    @idempotent
    def post(self, request: Request, batch_id: int) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        batch = confirm_import(batch_id, now=timezone.now())
        wake_import(batch.pk)
        return ok(batch_data(batch), "The codes go into the pool in the background.")


@extend_schema(tags=TAG)
class CancelBatchView(ImportView):
    @extend_schema(
        operation_id="adminCancelBatch",
        summary="Leave a previewed import",
        description="For staff who may import. Nothing goes into the pool; what was sent is gone.",
        parameters=[BATCH],
        request=None,
        responses=answers("BatchCancelled", BatchSchema()),
        examples=examples.CANCEL,
    )
    @idempotent
    def post(self, request: Request, batch_id: int) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        return ok(batch_data(cancel_import(batch_id, now=timezone.now())), "Nothing was imported.")
