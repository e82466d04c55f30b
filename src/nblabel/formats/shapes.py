"""Formats of shapes on images: COCO, YOLO and Pascal VOC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from ..errors import DataError, brief
from .files import as_text, file_names
from .records import (
    Lost,
    Record,
    clean,
    dump_json,
    listing,
    mapping,
    number,
    parse_json,
    refuse,
    size_in,
    size_of,
    text_in,
)

CLASSES = "classes.txt"


def _name(record: Record) -> str:
    return record.name or record.item


# ---------------------------------------------------------------- COCO


def write_coco(records: Sequence[Record], task: Any, lost: Lost) -> str:
    """Images, categories and annotations; places in pixels, not rounded."""
    ids = {name: k for k, name in enumerate(task.classes, start=1)}
    images: list[Any] = []
    annotations: list[Any] = []
    for place, record in enumerate(records, start=1):
        width, height = size_of(record, "coco")
        images.append({"id": place, "file_name": _name(record), "width": width, "height": height,
                       "item": record.item})  # fmt: skip
        for shape in record.value:
            if shape["shape"] == "point":
                lost.add("points of an image")
                continue
            made: dict[str, Any] = {"id": len(annotations) + 1, "image_id": place,
                    "category_id": ids[shape["label"]], "iscrowd": 0}  # fmt: skip
            if shape["shape"] == "box":
                x, y = shape["x"] * width, shape["y"] * height
                w, h = shape["width"] * width, shape["height"] * height
                made |= {"bbox": [x, y, w, h], "area": w * h, "segmentation": []}
            else:
                corners = [(x * width, y * height) for x, y in shape["points"]]
                xs, ys = [x for x, _ in corners], [y for _, y in corners]
                made |= {
                    "bbox": [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)],
                    "area": _area(corners),
                    "segmentation": [[part for corner in corners for part in corner]],
                }
            annotations.append(made)
    categories = [{"id": k, "name": name} for name, k in ids.items()]
    found = {"images": images, "categories": categories, "annotations": annotations}
    return f"{dump_json(found)}\n"


def _area(corners: Sequence[tuple[float, float]]) -> float:
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def read_coco(text: str, task: Any) -> list[Record]:
    """Polygons where the task has them, else boxes; a mask (RLE) counts as its box."""
    raw = mapping(parse_json(text, "The file"), "The file")
    names = {}
    for one in listing(raw.get("categories"), "'categories'"):
        category = mapping(one, "A category")
        names[repr(category.get("id"))] = category.get("name")
    images: dict[str, dict[str, Any]] = {}
    for one in listing(raw.get("images"), "'images'"):
        image = mapping(one, "An image")
        images[repr(image.get("id"))] = image
    shapes: dict[str, list[Any]] = {key: [] for key in images}
    sizes = {key: size_in(image, "An image", "width", "height") for key, image in images.items()}
    for k, one in enumerate(listing(raw.get("annotations"), "'annotations'"), start=1):
        where = f"Annotation {k}"
        said = mapping(one, where)
        key, category_id = repr(said.get("image_id")), repr(said.get("category_id"))
        if key not in images or category_id not in names:
            raise DataError(f"{where} is of image {key[:40]} and category {category_id[:40]}; "
                            "one of them is not listed.")  # fmt: skip
        made = _coco_shapes(said, sizes[key], "polygon" in task.shapes, where)
        shapes[key] += [{**shape, "label": names[category_id]} for shape in made]
    return [
        Record(shapes[key], item=text_in(image, "item"), name=text_in(image, "file_name"),
               size=sizes[key])
        for key, image in images.items()
    ]  # fmt: skip


def _coco_shapes(
    said: Mapping[str, Any], size: tuple[int, int], polygons: bool, where: str
) -> list[dict[str, Any]]:
    outlines = said.get("segmentation")
    if polygons and isinstance(outlines, list) and outlines:
        return [_outline(listing(flat, where), size, where) for flat in outlines]
    box = [number(part, where) for part in listing(said.get("bbox"), where)]
    if len(box) != 4:
        raise DataError(f"{where} has a bbox of x, y, width and height, got {brief(box, 60)}.")
    return [_box(box[0], box[1], box[0] + box[2], box[1] + box[3], size)]


def _outline(flat: Sequence[Any], size: tuple[int, int], where: str) -> dict[str, Any]:
    if len(flat) % 2:
        raise DataError(f"{where} has a polygon of {len(flat)} numbers, expected pairs.")
    numbers = [number(part, where) for part in flat]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return {"shape": "polygon", "points": [[_in(x / size[0]), _in(y / size[1])] for x, y in pairs]}


def _box(x1: float, y1: float, x2: float, y2: float, size: tuple[int, int]) -> dict[str, Any]:
    width, height = size
    left, top, right, bottom = _in(x1 / width), _in(y1 / height), _in(x2 / width), _in(y2 / height)
    return {"shape": "box", "x": left, "y": top, "width": right - left, "height": bottom - top}


def _in(share: float) -> float:
    """Cut off what lies outside of the image by a little, as many tools write it."""
    return min(1.0, max(0.0, share)) if -0.02 <= share <= 1.02 else share


# ---------------------------------------------------------------- YOLO


def write_yolo(records: Sequence[Record], task: Any, lost: Lost) -> dict[str, bytes]:
    """A text file for each image, named as it is, and ``classes.txt``; all in fractions.

    A box is its class, middle and size, a polygon its class and corners.
    """
    refuse([name for name in task.classes if len(name.splitlines()) != 1], "a line break")
    place = {name: k for k, name in enumerate(task.classes)}
    made = {CLASSES: "".join(f"{clean(name)}\n" for name in task.classes).encode()}
    for record, stem in zip(records, file_names([_name(r) for r in records]), strict=True):
        lines = []
        for shape in record.value:
            if shape["shape"] == "point":
                lost.add("points of an image")
                continue
            if shape["shape"] == "box":
                w, h = shape["width"], shape["height"]
                numbers = [shape["x"] + w / 2, shape["y"] + h / 2, w, h]
            else:
                numbers = [part for corner in shape["points"] for part in corner]
            lines.append(" ".join([str(place[shape["label"]]), *(f"{n:.9g}" for n in numbers)]))
        made[f"{stem}.txt"] = "".join(f"{line}\n" for line in lines).encode()
    return made


def read_yolo(files: Mapping[str, bytes], task: Any) -> list[Record]:
    """Numbers of classes go by ``classes.txt``, without one by the order of the task's."""
    names = list(task.classes)
    if CLASSES in files:
        names = [line for line in as_text(files[CLASSES], CLASSES).splitlines() if line.strip()]
    records = []
    for file, content in files.items():
        if file == CLASSES:
            continue
        shapes = []
        for k, line in enumerate(as_text(content, file).splitlines(), start=1):
            if line.strip():
                shapes.append(_yolo_shape(line, names, f"{file}, line {k}"))
        records.append(Record(shapes, name=file.rpartition(".")[0]))
    return records


def _yolo_shape(line: str, names: Sequence[str], where: str) -> dict[str, Any]:
    try:
        numbers = [float(cell) for cell in line.split()]
    except ValueError:
        raise DataError(f"{where} is no list of numbers: got {line[:60]!r}.") from None
    place, rest = number(numbers[0], where), [number(n, where) for n in numbers[1:]]
    if place != int(place) or not 0 <= place < len(names):
        raise DataError(f"{where} names the class {place:g}, but there are {len(names)}.")
    label = names[int(place)]
    if len(rest) == 4:
        x, y, w, h = rest
        box = _box(x - w / 2, y - h / 2, x + w / 2, y + h / 2, (1, 1))
        return {**box, "label": label}
    if len(rest) < 6 or len(rest) % 2:
        raise DataError(f"{where} has {len(rest)} numbers behind the class, expected 4 of a box "
                        "or pairs of a polygon.")  # fmt: skip
    return {**_outline(rest, (1, 1), where), "label": label}


# ---------------------------------------------------------------- Pascal VOC


def write_voc(records: Sequence[Record], task: Any, lost: Lost) -> dict[str, bytes]:
    """An XML file for each image; corners in whole pixels, counted from 1."""
    refuse([name for name in task.classes if not _is_xml(name)], "characters that XML has not")
    made = {}
    for record, stem in zip(records, file_names([_name(r) for r in records]), strict=True):
        width, height = size_of(record, "voc")
        root = ElementTree.Element("annotation")
        name = _name(record)
        ElementTree.SubElement(root, "filename").text = name if _is_xml(name) else stem
        size = ElementTree.SubElement(root, "size")
        for tag, value in (("width", width), ("height", height), ("depth", 3)):
            ElementTree.SubElement(size, tag).text = str(value)
        for shape in record.value:
            if shape["shape"] != "box":
                lost.add("polygons and points")
                continue
            x, y = shape["x"] * width, shape["y"] * height
            left, top = min(width - 1, round(x)), min(height - 1, round(y))
            right = max(left + 1, round(x + shape["width"] * width))
            bottom = max(top + 1, round(y + shape["height"] * height))
            if max(abs(left - x), abs(top - y), abs(right - x - shape["width"] * width),
                   abs(bottom - y - shape["height"] * height)) > 0.01:  # fmt: skip
                lost.add("parts of pixels")
            one = ElementTree.SubElement(root, "object")
            ElementTree.SubElement(one, "name").text = shape["label"]
            box = ElementTree.SubElement(one, "bndbox")
            corners = {"xmin": left + 1, "ymin": top + 1, "xmax": right, "ymax": bottom}
            for tag, value in corners.items():
                ElementTree.SubElement(box, tag).text = str(value)
        made[f"{stem}.xml"] = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _is_xml(text: str) -> bool:
    """Whether XML can hold a text as it is; it strips and joins what is not plain."""
    return text == text.strip() and all(c >= " " and c not in "\ufffe\uffff" for c in clean(text))


def read_voc(files: Mapping[str, bytes], task: Any) -> list[Record]:
    """Boxes of each file; entities and doctypes of XML are refused."""
    records = []
    for file, content in files.items():
        root = _parse_xml(content, file)
        size = {tag: _number(root, f"size/{tag}", file) for tag in ("width", "height")}
        width, height = size_in(size, file, "width", "height")
        shapes = []
        for one in root.iterfind("object"):
            corners = [_number(one, f"bndbox/{tag}", file)
                       for tag in ("xmin", "ymin", "xmax", "ymax")]  # fmt: skip
            box = _box(corners[0] - 1, corners[1] - 1, corners[2], corners[3], (width, height))
            shapes.append({**box, "label": one.findtext("name", "").strip()})
        name = root.findtext("filename", "") or file.rpartition(".")[0]
        records.append(Record(shapes, name=name, size=(width, height)))
    return records


def _parse_xml(content: bytes, file: str) -> ElementTree.Element:
    import defusedxml.ElementTree
    from defusedxml.common import DefusedXmlException

    try:
        root: ElementTree.Element = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise DataError(
            f"{file} has a doctype or entities, which are not read: they may blow up or fetch "
            "other files. Take them out."
        ) from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{file} is no XML ({error}).") from None
    return root


def _number(root: ElementTree.Element, path: str, file: str) -> float:
    text = root.findtext(path, "")
    try:
        return number(float(text), f"{file}: {path}")
    except ValueError:
        raise DataError(f"{file}: {path} is a number, got {text[:40]!r}.") from None
