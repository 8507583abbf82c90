"""HDF5 files that are not trusted."""

import h5py


def check_plain(file):
    """Raises a ValueError if an open HDF5 file reaches beyond itself.

    Links to other files, storage in other files and virtual data sets would bring the contents of
    any file that this process can read into a model's weights. Soft links only have more names for
    what is there, and no writer of weights makes them: they are refused as well.

    Args:
        file: An open `h5py.File`.
    """
    seen, groups = set(), [file]
    while groups:
        group = groups.pop()
        for name in group:
            path = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"has a link in place of {path!r}")
            found = group[name]
            if isinstance(found, h5py.Dataset):
                if found.external or found.is_virtual:
                    raise ValueError(f"does not hold {path!r} itself")
            elif isinstance(found, h5py.Group):
                # A group can hold itself.
                address = h5py.h5o.get_info(found.id).addr
                if address not in seen:
                    seen.add(address)
                    groups.append(found)
            else:
                raise ValueError(f"has something else than numbers in place of {path!r}")
