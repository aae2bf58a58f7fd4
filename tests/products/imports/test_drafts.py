"""Drafts: private files that are taken once."""

import os
import stat
import time

import pytest

from products.imports import drafts
from products.imports.drafts import Draft
from products.imports.refusal import Refused
from products.imports.uploads import Table

TABLE = Table(["sku", "stock"], [["MUG", 1]], [2])


def draft(user: int = 1) -> Draft:
    return Draft(user, "products.csv", TABLE, {"MUG": "2026", "CUP": None})


def test_draft_is_taken_as_it_was_and_once(drafts_folder):
    token = drafts.save(draft())
    assert drafts.take(token, 1) == draft()
    assert drafts.take(token, 1) is None
    assert not list(drafts_folder.iterdir())


def test_draft_is_taken_by_its_owner_only():
    token = drafts.save(draft())
    assert drafts.take(token, 2) is None
    assert drafts.take(token, 1) == draft()


def test_nobody_else_may_read_it(drafts_folder):
    token = drafts.save(draft())
    assert stat.S_IMODE((drafts_folder / token).stat().st_mode) == 0o600
    assert stat.S_IMODE(drafts_folder.stat().st_mode) == 0o700


def test_folder_that_is_open_to_others_is_closed(drafts_folder):
    drafts_folder.mkdir(mode=0o777)
    drafts.save(draft())
    assert stat.S_IMODE(drafts_folder.stat().st_mode) == 0o700


def test_folder_that_leads_elsewhere_is_refused(drafts_folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    drafts_folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        drafts.save(draft())


@pytest.mark.parametrize("next_step", ["save", "take"])
def test_stale_drafts_are_removed(drafts_folder, next_step):
    stale, fresh = drafts.save(draft()), drafts.save(draft())
    before = time.time() - drafts.LIFETIME - 1
    os.utime(drafts_folder / stale, (before, before))
    if next_step == "save":
        drafts.save(draft())
    else:
        assert drafts.take(stale, 1) is None
    assert stale not in os.listdir(drafts_folder)
    assert fresh in os.listdir(drafts_folder)


def test_draft_that_was_cut_off_is_none(drafts_folder):
    token = drafts.save(draft())
    (drafts_folder / token).write_text('{"user": 1')
    assert drafts.take(token, 1) is None
