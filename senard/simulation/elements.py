"""Small words for writing XML."""

from lxml import etree

Element = etree._Element


def element(tag: str, *children: "Element | str", **attributes: str) -> Element:
    """An element with text, children and attributes.

    Args:
        tag: local name, or "{namespace}name".
        children: elements, or one text.
        attributes: an underscore at the end of a name is dropped: type_="xml".
    """
    made = etree.Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


def document(root: Element) -> bytes:
    """The file that holds the element: UTF-8, indented."""
    etree.indent(root, space="  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=False)


def typed(root: Element, schema: str) -> Element:
    """Give an element the place of its schema (xsi:schemaLocation)."""
    root.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", schema)
    return root


def root_element(namespace: str, tag: str, prefix: str = "n1") -> Element:
    """A root with its namespace bound to a prefix, and `xsi`."""
    return etree.Element(
        f"{{{namespace}}}{tag}",
        nsmap={prefix: namespace, "xsi": "http://www.w3.org/2001/XMLSchema-instance"},
    )
