import inspect

import pytest
import sklearn.exceptions

from nblabel import errors
from nblabel.errors import near, shorten

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception)
}


def test_one_root():
    assert all(issubclass(value, errors.NblabelError) for value in CLASSES.values())


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("DataError", ValueError), ("UnknownColumnError", KeyError), ("TaskError", ValueError),
        ("LabelValueError", errors.TaskError), ("OptionError", ValueError),
        ("UnknownItemError", KeyError), ("NotFittedError", sklearn.exceptions.NotFittedError),
        ("StoreError", OSError), ("StoreMismatchError", errors.StoreError),
        ("EventError", ValueError),
    ],
)  # fmt: skip
def test_each_is_also_what_python_expects(name, also):
    assert issubclass(CLASSES[name], also)


def test_the_drawn_tree_names_every_error():
    assert all(name in errors.__doc__ for name in CLASSES)


@pytest.mark.parametrize("kind", [errors.UnknownColumnError, errors.UnknownItemError])
def test_key_errors_show_their_message_and_not_its_repr(kind):
    assert str(kind("There is no 'x'.")) == "There is no 'x'."


def test_a_store_error_keeps_its_message():
    assert str(errors.StoreError("The log is gone.")) == "The log is gone."
    assert errors.StoreError("").read_only is False


def test_protocol_error():
    error = errors.ProtocolError("field", "n is missing")
    assert (error.code, error.text, str(error)) == ("field", "n is missing", "n is missing")


def test_shorten():
    assert shorten([1, "b"]) == "1, 'b'"
    assert shorten(range(1005), most=2) == "0, 1 and 1,003 more"
    assert shorten([]) == ""


def test_near():
    assert near("bdy", ["body", "date"]) == "Did you mean 'body'?"
    assert near("bodi", ["body", "bodies"]) == "Did you mean 'bodies' or 'body'?"
    assert near("zzz", ["a", 1]) == "There are: 'a', '1'."
    assert near("a", []) == "There are none."
