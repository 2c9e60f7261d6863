.POSIX:
.PHONY: demo test mutation check bench soak docs dist clean

bin = .venv/bin

# Show what the exporter does, on a built-in stand-in of Feldera, with Prometheus and Alertmanager beside it: fetches only
# what is needed for that.
# With job control Ctrl-C ends the demo alone, and make goes on to its end without an error.
demo: .venv/demo .cache/debian/demo
	PYTHONDONTWRITEBYTECODE= PATH="$$PWD/.cache/debian/usr/bin:$$PATH" \
		bash $$([ -t 0 ] && echo -m) -c '$(bin)/feldera-exporter demo; exit $$?'

# Every test, with its servers; many wait more than they work. With the gate on branch coverage, as CI: COVERAGE=1 make test.
# Ten times as many examples, and what else only CI runs, before a release: THOROUGH=1 make test.
test:
	@$(MAKE) -j2 .cache/compiled .cache/debian/ready
	PYTHONDONTWRITEBYTECODE= $(bin)/python -m pytest --numprocesses=9 --dist=worksteal \
		$${COVERAGE:+--cov --cov-report=term --cov-fail-under=95}

# What `make test` does a part of: every change of every condition of a problem, in half a minute.
mutation: .venv/installed
	$(bin)/python -m pytest --numprocesses=2 -m mutation tests/problems

# All that reads and changes nothing: style, types, layers, generated files.
check: .venv/installed .cache/debian/ready
	.ci/check

# What it costs, beside what others cost in the same run: some minutes. A million transitions, and the rules on two
# replicas as well: THOROUGH=1 make bench.
bench: .venv/installed .cache/debian/ready
	$(bin)/python tests/benchmarks/run.py

# Three quarters of an hour of the real program with 10,000 lively pipelines, readers, reloads and kills: nothing is lost.
# Shorter: make soak MINUTES=2.
soak: .venv/installed
	PYTHONPATH=tests $(bin)/python tests/benchmarks/soak.py $(MINUTES)

# Generate what is generated.
docs: .venv/installed
	$(bin)/python tests/generate.py

# Make a release below dist/, the same from the same tree each time.
dist: .venv/installed
	.ci/dist

.venv/demo .venv/installed: pyproject.toml .ci/constraints.txt
	.ci/venv $(@F)

.cache/debian/demo: .ci/debian
	.ci/debian prometheus prometheus-alertmanager
	touch $@

.cache/debian/ready: .ci/debian
	.ci/debian prometheus prometheus-alertmanager chromium-headless-shell+ fonts-dejavu-core shellcheck
	touch $@

# Collecting the tests compiles all that they import, which each of their processes would do otherwise.
.cache/compiled: .venv/installed
	PYTHONDONTWRITEBYTECODE= $(bin)/python -m pytest --collect-only --quiet >/dev/null 2>&1 || :
	mkdir -p .cache && touch $@

clean:
	rm -rf .venv .cache dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
