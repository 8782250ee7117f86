"""What a cloud offers machines to be made of: sizes and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gcelib.drivers.generic.effects import Seen, reached
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.generic.reading import image_of, size_of
from gcelib.errors import NotFound, Refused
from gcelib.models import Image, Job, Size


class Sizes(Facet):
    """list_sizes."""

    name = "sizes"
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {"list": ("list_sizes",)}

    def list(self) -> Sequence[Size]:
        """Every size, of every location."""
        return self.models(lambda each: size_of(each, self.door.kind.profile), self.objects())

    def objects(self) -> Sequence[Any]:
        """libcloud's own objects."""
        return self.door.rows("list_sizes")

    def object(self, id: str) -> Any:
        """libcloud's object of this id. Raises NotFound."""
        found = next((each for each in self.objects() if str(each.id) == id), None)
        if found is None:
            raise NotFound(f"{self.door.at} has no size '{id}' any more.")
        return found


class Images(Facet):
    """list_images, and images made of machines' disks where the driver makes them of volumes or snapshots."""

    name = "images"
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {"list": ("list_images",), "destroy": ("delete_image",)}

    def list(self) -> Sequence[Image]:
        """Every image that a machine can be made of."""
        return self.models(image_of, self.objects())

    def objects(self) -> Sequence[Any]:
        """libcloud's own objects."""
        return self.door.rows("list_images")

    def object(self, id: str) -> Any:
        """libcloud's object of this id. Raises NotFound."""
        found = next((each for each in self.objects() if str(each.id) == id), None)
        if found is None:
            raise NotFound(f"{self.door.at} has no image '{id}' any more.")
        return found

    def destroy(self, *, key: str, id: str) -> Job:
        """delete_image; one already gone is done."""
        try:
            image = self.object(id)
        except NotFound:
            return self.done(id)
        self.door.change("delete_image", image)
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether a deleted image is gone."""
        if verb != "destroy":
            raise Refused(f"{self.door.at} does not tell whether images.{verb} happened.")
        return reached(all(str(each.id) != target for each in self.objects()), target)
