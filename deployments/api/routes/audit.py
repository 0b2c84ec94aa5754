"""The audit trail: who changed what."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.deps import AuditDep
from deployments.api.examples import page
from deployments.api.examples.audit import AUDIT_ENTRY
from deployments.api.pages import AuditPage, audit_page
from deployments.api.parameters import AuditQuery, RowId
from deployments.api.responses import problems, shows
from schemas.audit import AuditEntry

router = APIRouter(prefix="/api/audit", tags=["audit"])


@router.get("", responses=shows(page("logs", AUDIT_ENTRY)) | problems(422, 503))
async def list_audit_entries(query: Annotated[AuditQuery, Query()], audit: AuditDep) -> AuditPage:
    """What was changed or set off, by whom and from where, newest first; filters that are set must all hold."""
    rows = await audit.list(query, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return audit_page(rows, query)


@router.get("/{entry_id}", responses=shows(AUDIT_ENTRY) | problems(404, 422, 503))
async def get_audit_entry(entry_id: RowId, audit: AuditDep) -> AuditEntry:
    """One entry."""
    return await audit.get(entry_id)
