import io

from academy.commands.display import LiveDisplay, PlainDisplay, display_on


def test_a_pipe_gets_plain_lines():
    stream = io.StringIO()
    display = display_on(stream)
    assert isinstance(display, PlainDisplay)
    with display, display.bar("Uploading", 100.0) as move:
        for _ in range(100):
            move(1.0)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Uploading   0%"
    assert lines[-1] == "Uploading 100%"
    assert len(lines) == 11


def test_a_change_of_state_is_told_at_once_and_nothing_twice():
    stream = io.StringIO()
    with PlainDisplay(stream).bar("Transcoding", 1.0) as move:
        move(0.0, state="queued")
        move(0.0, state="queued")
        move(0.04, state="running", speed=3.04, eta=75.2)
        move(0.01, state="running", speed=3.1, eta=70.0)
        move(0.95, state="succeeded")
    assert stream.getvalue().splitlines() == [
        "Transcoding   0%",
        "Transcoding   0%  queued",
        "Transcoding   4%  running, 3.0× real time, about 1 min 15 s left",
        "Transcoding 100%  succeeded",
    ]


def test_a_part_that_is_sent_again_takes_its_progress_back():
    stream = io.StringIO()
    with PlainDisplay(stream).bar("Uploading", 100.0, 50.0) as move:
        move(30.0)
        move(-30.0)
        move(50.0)
    assert [line[-4:] for line in stream.getvalue().splitlines()] == [" 50%", " 80%", "100%"]


def test_nothing_is_said_without_a_stream():
    with PlainDisplay(None) as display, display.bar("Uploading", 1.0) as move:
        display.say("hello")
        move(1.0)


def test_a_terminal_gets_a_bar_that_ends_full():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    display = display_on(stream)
    assert isinstance(display, LiveDisplay)
    with display, display.bar("Transcoding", 1.0) as move:
        move(1.0, state="succeeded")
        display.say("warning: [brackets] stay")
    assert "100%" in stream.getvalue()
    assert "[brackets] stay" in stream.getvalue()


def test_parts_get_a_line_each_when_they_are_done():
    stream = io.StringIO()
    display = PlainDisplay(stream)
    display.part("picture 0:00–0:04", 0.5, 1.5)
    display.part("picture 0:04–0:08", 1.0, 2.04)
    display.part("picture 0:04–0:08", 1.0, 2.04)
    display.part("picture 0:00–0:04", 1.0, 1.0)
    assert stream.getvalue().splitlines() == [
        "  picture 0:04–0:08 done  2.0× real time",
        "  picture 0:00–0:04 done  1.0× real time",
    ]


def test_a_terminal_shows_a_bar_for_each_part_under_way():
    stream = io.StringIO()
    display = LiveDisplay(stream)
    with display, display.bar("Transcoding", 1.0) as move:
        display.part("picture 0:00–0:04", 0.5, 1.5)
        display.part("sound 0:00–0:08", 0.25, None)
        display.part("sound 0:00–0:08", 1.0, 9.0)
        assert [task.description for task in display._progress.tasks] == [
            "Transcoding",
            "  picture 0:00–0:04",
        ]
        move(1.0)
