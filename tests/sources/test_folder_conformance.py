from pathlib import Path

import pytest

from sources.conformance import SourceConformance
from sources.folders import FolderPlace


class TestFolder(SourceConformance):
    @pytest.fixture
    def place(self, tmp_path: Path) -> FolderPlace:
        return FolderPlace(tmp_path)
