# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are measured: made once below a folder, in every form that is asked for."""
import datetime
import pathlib
import shutil
import subprocess
import sys

FIRST_DAY = datetime.date(2026, 3, 2)  # as flowgen has it


class Flows:
    """One set of made-up records; root(form) holds all of them in that form."""

    def __init__(self, folder, records, days, *switches):
        self.folder = pathlib.Path(folder)
        self.records = records
        self.days = days
        self.switches = switches
        self.hosts = self.folder / "hosts.txt"
        self.site = self.folder / "silk.conf"

    def root(self, form):
        return self.folder / form

    def selection(self, form):
        """The switches of rwfilter that select every record."""
        last_day = FIRST_DAY + datetime.timedelta(days=self.days - 1)
        return [f"--data-rootdir={self.root(form)}", f"--site-config-file={self.site}",
                f"--start-date={FIRST_DAY:%Y/%m/%d}", f"--end-date={last_day:%Y/%m/%d}",
                "--type=all"]

    def sizes(self, form):
        """(path, bytes) of every file, by name; what is kept beside the records counts as well."""
        return [(path, path.stat().st_size)
                for path in sorted(self.root(form).rglob("*")) if path.is_file()]

    def _is_made(self, form, recipe):
        """Was this form made to the end by the same recipe? Another recipe's is not touched."""
        note = self.folder / f"{form}.made"
        if not note.exists():
            shutil.rmtree(self.root(form), ignore_errors=True)
            return False
        if note.read_text() != recipe:
            sys.exit(f"perf: {self.folder} holds other records ({note.read_text()}): "
                     "remove it or name another folder")
        return True

    def make(self, form, build, source, nfdump=None):
        """Make one form unless it is there: silk or block with the programs of the build, or nfdump."""
        recipe = f"records={self.records} days={self.days} {' '.join(self.switches)}"
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._is_made(form, recipe):
            return
        print(f"perf: making {self.records} records, {form}", file=sys.stderr)
        shutil.copy(source / "tests/perf/silk.conf", self.site)
        command = [str(build / "tests/perf/flowgen"), f"--records={self.records}", f"--days={self.days}", *self.switches,
                   f"--hosts={self.hosts}"]
        if form == "nfdump":
            self._make_nfdump(command, source, nfdump)
        else:
            subprocess.run(command + [f"--file-format={form}", f"--root={self.root(form)}",
                                      f"--site-config-file={self.site}"], check=True)
        (self.folder / f"{form}.made").write_text(recipe)

    def catalog(self, build):
        """Summarise the block files, when there is a tool for it, as the packer does on its way."""
        tool = build / "query/rwcatalog"
        if tool.exists() and not (self.root("block") / ".catalog").exists():
            subprocess.run([tool, "rebuild", f"--data-rootdir={self.root('block')}",
                            f"--site-config-file={self.site}"], check=True)

    def _make_nfdump(self, command, source, nfdump):
        packets = self.folder / "packets"
        shutil.rmtree(packets, ignore_errors=True)
        packets.mkdir()
        subprocess.run(command + [f"--netflow={packets}"], check=True)
        fed = subprocess.run([sys.executable, str(source / "tests/perf/nfdumpfeed.py"),
                              f"--nfdump={nfdump}", str(packets), str(self.root("nfdump"))],
                             check=True, capture_output=True, text=True)
        if int(fed.stdout) != self.records:
            sys.exit(f"perf: nfcapd stored {fed.stdout.strip()} of {self.records} records")
        shutil.rmtree(packets)
