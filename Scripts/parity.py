#!/usr/bin/env python3
from pathlib import Path
from neighbours import fixtures
fixtures.make(Path(__file__).resolve().parent.parent / "Tests/Fixtures/models")
