"""Does a board keep its widgets in order, whatever is done to it? Pure."""

from hypothesis import given
from hypothesis import strategies as st

from richiamo_gateway.boards.board import MOST_WIDGETS, Board, BoardId, Widget

widgets = st.integers(0, 6).map(lambda count: tuple(Widget(id=f"w{n}", what="x", size="S") for n in range(count)))
boards = widgets.map(lambda some: Board(id=BoardId("b"), owner="anna", title="Mine", widgets=some))


@given(boards, st.integers(0, 7), st.integers(-2, 9))
def test_moving_keeps_every_widget_and_the_order_of_the_others(board: Board, which: int, place: int) -> None:
    moved = board.moved(f"w{which}", place)
    others = [one.id for one in board.widgets if one.id != f"w{which}"]
    assert [one.id for one in moved.widgets if one.id != f"w{which}"] == others
    assert sorted(one.id for one in moved.widgets) == sorted(one.id for one in board.widgets)
    if moved.place_of(f"w{which}") is not None:
        assert moved.place_of(f"w{which}") == max(0, min(place, len(others)))


@given(boards)
def test_what_is_kept_comes_back(board: Board) -> None:
    assert tuple(Widget.from_json(one.as_json()) for one in board.widgets) == board.widgets


def test_a_full_board_takes_no_more() -> None:
    board = Board(id=BoardId("b"), owner="anna", title="Mine")
    for number in range(MOST_WIDGETS + 3):
        board = board.added(Widget(id=f"w{number}", what="x", size="S"))
    assert len(board.widgets) == MOST_WIDGETS


def test_sizes_periods_and_titles_stay_within_bounds() -> None:
    board = Board(id=BoardId("b"), owner="anna", title="Mine", widgets=(Widget(id="w", what="x", size="S"),))
    assert board.sized("w", "XXL") == board
    assert board.sized("w", "L").widgets[0].size == "L"
    assert board.filtered("w", queue=" Vendite ", days=4000).widgets[0].days == 92
    assert board.filtered("w", queue=" Vendite ", days=-1).widgets[0].queue == "Vendite"
    assert board.titled("   ") == board
    assert board.titled(" a   b ").title == "a b"
