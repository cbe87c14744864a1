"""Boundaries of days and hours in every time zone, across changes of daylight saving time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_oms.milestones.boundaries import Boundaries

ZONES = sorted(zone for zone in available_timezones() if not zone.startswith(("posix", "right", "local")))
LENGTHS = ("1d", "7d", "2d", "12h", "6h", "1h", "30m", "15m")

boundaries = st.builds(Boundaries, st.sampled_from(LENGTHS), st.sampled_from(ZONES))
#: From 1996 on; up to 2037, the last year for which all zone files have the changes.
moments = st.integers(820_454_400, 2_145_000_000).map(float)

often = settings(max_examples=300, derandomize=True, deadline=None, database=None)


def unix(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def walk(of, begin, count):
    """Return the boundaries after a time, one by one."""
    found = []
    for _ in range(count):
        found.append(of.after(found[-1] if found else begin))
    return found


class TestEverywhereAtAnyTime:
    @often
    @given(boundaries, moments)
    def test_the_next_is_later_and_the_last_is_earlier(self, of, at):
        assert of.before(at) < at < of.after(at)

    @often
    @given(boundaries, moments)
    def test_there_and_back_none_is_passed_over(self, of, at):
        following = walk(of, at, 4)
        assert [of.before(boundary) for boundary in following[1:]] == following[:-1]
        assert of.after(of.before(following[0])) == following[0]
        assert of.before(following[0]) <= at

    @settings(often, max_examples=100)
    @given(st.sampled_from(ZONES), moments)
    def test_a_day_ends_when_the_local_date_changes_for_the_first_time(self, zone, at):
        """The expected boundary is found by going through the minutes, without the notion of midnight."""
        found = Boundaries("1d", zone).after(at)
        tz = ZoneInfo(zone)
        # The clocks of Casey, Samoa and others have skipped hours; a date that repeats was there before.
        last = max(datetime.fromtimestamp(at - back, tz).date() for back in range(0, 26 * 3600, 900))
        moment = at - at % 60
        while datetime.fromtimestamp(moment, tz).date() <= last:
            moment += 60
        assert found == moment

    @often
    @given(boundaries, moments)
    def test_none_lies_further_away_than_its_length(self, of, at):
        number, unit = int(of.every[:-1]), of.every[-1]
        # A day may be an hour or two longer; a day that is skipped doesn't make its neighbour longer.
        longest = number * {"d": 86400, "h": 3600, "m": 60}[unit] + (7200 if unit == "d" else 0)
        assert 0 < of.after(of.after(at)) - of.after(at) <= longest


class TestKnownDays:
    @pytest.mark.parametrize(
        ("zone", "at", "then"),
        [
            ("Asia/Shanghai", "2026-11-27T00:00", "2026-11-28T00:00+08:00"),
            ("Asia/Shanghai", "2026-11-26T23:59:59", "2026-11-27T00:00+08:00"),
            ("Europe/Berlin", "2026-10-25T12:00", "2026-10-26T00:00+01:00"),
            ("Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:00+02:00"),
            # At midnight the clocks go to one o'clock: the day begins there.
            ("America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T01:00-02:00"),
            ("Africa/Cairo", "2026-04-23T12:00", "2026-04-24T01:00+03:00"),
            # At one o'clock they go back to midnight: the day began at the first midnight.
            ("America/Havana", "2026-10-31T12:00", "2026-11-01T00:00-04:00"),
            # At midnight they go back to eleven: the day begins an hour later.
            ("America/Sao_Paulo", "2018-02-17T12:00", "2018-02-18T00:00-03:00"),
            # A date that was skipped.
            ("Pacific/Apia", "2011-12-29T12:00", "2011-12-31T00:00+14:00"),
        ],
    )
    def test_midnight(self, zone, at, then):
        of = Boundaries("1d", zone)
        found = of.after(unix(at, zone))
        assert found == datetime.fromisoformat(then).timestamp()
        assert of.text(found) == datetime.fromisoformat(then).isoformat()

    @pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
    def test_every_hour_of_a_day_comes_once(self, day, hours):
        midnight = unix(day, "Europe/Berlin")
        found = walk(Boundaries("1h", "Europe/Berlin"), midnight, hours)
        assert found == [midnight + 3600 * number for number in range(1, hours + 1)]
        assert datetime.fromtimestamp(found[-1], ZoneInfo("Europe/Berlin")).strftime("%H:%M") == "00:00"

    def test_a_length_begins_again_with_the_day(self):
        found = walk(Boundaries("6h", "Europe/Berlin"), unix("2026-10-24T23:00", "Europe/Berlin"), 6)
        told = [f"{datetime.fromtimestamp(one, ZoneInfo('Europe/Berlin')):%d %H:%M}" for one in found]
        assert told == ["25 00:00", "25 05:00", "25 11:00", "25 17:00", "25 23:00", "26 00:00"]

    def test_weeks_end_on_mondays(self):
        (found,) = walk(Boundaries("7d", "Asia/Tokyo"), unix("2026-11-27T09:00"), 1)
        assert datetime.fromtimestamp(found, ZoneInfo("Asia/Tokyo")).strftime("%A %d") == "Monday 30"


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "every", ["", "1", "d", "0d", "-1d", "1.5h", "5h", "7m", "25h", "1w", "90000m", " 1d", 1, None, timedelta(1)]
    )
    def test_a_length_that_fits_into_no_day(self, every):
        with pytest.raises(ValueError, match="every must be"):
            Boundaries(every)

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus", "+08:00", "../../etc/passwd", 8, None])
    def test_a_zone_that_is_none(self, zone):
        with pytest.raises(ValueError, match="timezone must be"):
            Boundaries("1d", zone)

    def test_a_moment_in_milliseconds(self):
        with pytest.raises(ValueError, match="Unix time is taken in seconds"):
            Boundaries().after(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
