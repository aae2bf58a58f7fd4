"""Import and export in the admin: import-export's pages, with our limits and rules.

Reads uploads, writes drafts, products and the admin's log. What a file may hold is
decided in `products.imports`; here are the pages, the permissions and the messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from import_export.admin import ImportExportMixin
from import_export.forms import ExportForm
from import_export.signals import post_export, post_import

from products import formats
from products.api import changes
from products.imports import drafts, run, uploads
from products.imports.refusal import Refused
from products.models import Product
from products.resources import SHOWN, ProductResource

EXPIRED = "This preview was used, cancelled or is too old. Upload the file again."


class UploadForm(forms.Form):
    """Takes a file in, and its name's word for what it is only if it looks so."""

    file = forms.FileField(
        label="File",
        help_text=f"CSV (UTF-8) or XLSX, at most {uploads.MAX_BYTES // 1024**2} MB "
        f"and {uploads.MAX_ROWS:,} rows.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        try:
            self.table = self.read(file)
        except Refused as error:
            raise forms.ValidationError(str(error)) from None
        return file

    def read(self, file: UploadedFile) -> uploads.Table:
        # One byte more than is allowed is enough to refuse it.
        data = file.read(uploads.MAX_BYTES + 1)
        return uploads.read(file.name, data, ProductResource.columns())


class TransferMixin(ImportExportMixin):
    """Adds import and export to the admin of products."""

    resource_classes = (ProductResource,)
    export_form_class = ExportForm
    import_template_name = "admin/products/product/import.html"
    export_template_name = "admin/products/product/export.html"
    formats = (formats.CSV, formats.XLSX)
    to_encoding = "utf-8"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.import_product")

    def has_export_permission(self, request: HttpRequest) -> bool:
        may_see = self.has_view_or_change_permission(request)
        return may_see and request.user.has_perm("products.export_product")

    # ── Import ───────────────────────────────────────────────────────────────
    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The form, and what the file would do."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"form": form, "title": "Import products"}
        if request.method == "POST" and form.is_valid():
            context |= self.look_at(request, form)
        context |= {"columns": ProductResource.columns(), "opts": self.opts}
        context |= {"shown": SHOWN, "errors_shown": run.ERRORS_SHOWN}
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            self.import_template_name,
            self.admin_site.each_context(request) | context,
        )

    def look_at(self, request: HttpRequest, form: UploadForm) -> dict[str, Any]:
        name = form.cleaned_data["file"].name
        try:
            outcome, draft = run.preview(form.table, name, request.user.pk)
            changes = outcome.new + outcome.updated
            token = drafts.save(draft) if changes and not outcome.failed else ""
        except Refused as error:
            form.add_error("file", str(error))
            return {}
        return {"outcome": outcome, "token": token, "file_name": name}

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """What was looked at, done or cancelled."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        draft = drafts.take(request.POST.get("token", ""), request.user.pk)
        if draft is None:
            messages.error(request, EXPIRED)
            return self.back_to("import")
        if "confirm" not in request.POST:
            messages.info(request, "The import was cancelled. Nothing was changed.")
            return self.back_to("changelist")
        try:
            outcome = self.carry_out(request, draft)
        except Refused as error:
            messages.error(request, str(error))
            return self.back_to("import")
        post_import.send(sender=None, model=self.model)
        messages.success(request, f"Imported {draft.name}: {outcome.summary}.")
        return self.back_to("changelist")

    def carry_out(self, request: HttpRequest, draft: drafts.Draft) -> run.Outcome:
        """Products and the log's entries about them, in one transaction."""
        with changes.together():
            outcome, saved = run.confirm(draft)
            text = f"Imported from {draft.name}."
            for flag, is_new in ((ADDITION, True), (CHANGE, False)):
                rows = [product for product, new in saved if new is is_new]
                if rows:
                    self.log_each(request, rows, flag, text)
            self.log_whole(request, f"Import of {draft.name}", outcome.summary)
        return outcome

    def back_to(self, page: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(
            reverse(f"{self.admin_site.name}:products_product_{page}")
        )

    # ── Export ───────────────────────────────────────────────────────────────
    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The form, and the file: the rows that the list shows, as it is filtered."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            products = self.get_export_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("The list has no such filter.") from error
        form = self.export_form_class(
            self.get_export_formats(),
            self.get_export_resource_classes(request),
            data=request.POST or None,
            initial={"format": "0"},
        )
        if request.method == "POST" and form.is_valid():
            chosen = self.get_export_formats()[int(form.cleaned_data["format"])]()
            return self.export_file(request, chosen, products)
        context = self.init_request_context_data(request, form)
        context |= {"title": "Export products", "count": products.count()}
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            self.export_template_name,
            context,
            status=400 if form.errors else 200,
        )

    def export_file(
        self, request: HttpRequest, kind: Any, products: Any
    ) -> HttpResponse:
        dataset = ProductResource().export(products.with_category())
        content = kind.export_data(dataset)
        title = f"Export as {kind.get_title()}"
        self.log_whole(request, title, f"{len(dataset)} products")
        post_export.send(sender=None, model=self.model)
        name = self.get_export_filename(request, products, kind)
        return HttpResponse(
            content,
            content_type=kind.get_content_type(),
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    # ── The admin's log ──────────────────────────────────────────────────────
    def log_each(
        self, request: HttpRequest, rows: Iterable[Product], flag: int, text: str
    ) -> None:
        LogEntry.objects.log_actions(request.user.pk, rows, flag, change_message=text)

    def log_whole(self, request: HttpRequest, title: str, text: str) -> None:
        """An entry that is about no single product."""
        LogEntry.objects.create(
            user_id=request.user.pk,
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=f"{title}: {text}"[:200],
            action_flag=CHANGE,
            change_message=f"{title}: {text}.",
        )
