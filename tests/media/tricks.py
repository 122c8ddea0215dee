"""Files that ask for another file: scripts and playlists, and containers with links inside."""

from __future__ import annotations

import struct
from pathlib import Path

SCRIPTS = {
    "ffconcat": "ffconcat version 1.0\nfile '{target}'\n",
    "ffconcat relative": "ffconcat version 1.0\nfile {name}\n",
    "concat protocol": "concat:{target}|{target}\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
    "m3u8 of segments": (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:9\n"
        '#EXT-X-MAP:URI="{target}"\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n'
    ),
    "m3u8 with a key": (
        '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n'
        "#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"
    ),
    "m3u8 of playlists": '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="mp4a.40.2"\n{target}\n',
    "mpd": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4">'
        '<Representation id="1" bandwidth="9"><BaseURL>{target}</BaseURL>'
        "<SegmentBase/></Representation></AdaptationSet></Period></MPD>"
    ),
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
    "cue": 'FILE "{target}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "pls": "[playlist]\nFile1={target}\nNumberOfEntries=1\nVersion=2\n",
    "asx": '<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
    "asf reference": "[Reference]\nRef1={target}\nRef2={target}\n",
    "quicktime link": '<?xml version="1.0"?><?quicktime type="x"?><embed src="{target}"/>',
    "smil": '<smil><body><audio src="{target}"/></body></smil>',
    "imf": "<CompositionPlaylist><Asset><Path>{target}</Path></Asset></CompositionPlaylist>",
    "rtsp": "rtsptext\nrtsp://127.0.0.1:{port}/a\n",
    "url": "[InternetShortcut]\nURL={target}\n",
}  # fmt: skip


def with_reference(movie: bytes, kind: bytes, target: str) -> bytes:
    """A QuickTime file whose track says that its sound lies elsewhere (`url ` or `alis`)."""
    data = target.encode() + b"\0" if kind == b"url " else _alias(target)
    entry = struct.pack(">I4sI", 12 + len(data), kind, 0) + data
    dref = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    at = movie.index(b"dref") - 4
    (size,) = struct.unpack(">I", movie[at : at + 4])
    made = bytearray(movie[:at] + dref + movie[at + size :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = made.index(parent, made.index(b"moov")) - 4
        (length,) = struct.unpack(">I", made[place : place + 4])
        made[place : place + 4] = struct.pack(">I", length + len(dref) - size)
    return bytes(made)


def _alias(target: str) -> bytes:
    """As a Mac writes it: the path twice, in its own spelling and in that of Unix."""
    path = target.encode()
    head = struct.pack(">4sHHH", b"\0\0\0\0", 0, 2, 0) + bytes(28 + 12)
    name = bytes([min(63, len(path))]) + path[:63].ljust(63, b"\0")
    rest = bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    tags = b"".join(
        struct.pack(">HH", tag, len(path)) + path + b"\0" * (len(path) % 2) for tag in (2, 18)
    )
    return head + name + rest + tags + struct.pack(">HH", 0xFFFF, 0)


def with_next_segment(movie: bytes, target: str) -> bytes:
    """A Matroska file that says which file goes on after it, and which came before."""
    name = target.encode()
    size = struct.pack(">H", 0x4000 | len(name))
    linked = b"".join(bytes.fromhex(name_id) + size + name for name_id in ("3e83bb", "3c83ab"))
    at = movie.index(bytes.fromhex("1549a966")) + 4
    length, width = _vint(movie, at)
    segment = movie.index(bytes.fromhex("18538067")) + 4
    whole, whole_width = _vint(movie, segment)
    made = movie[:segment] + _written(whole + len(linked), whole_width)
    made += movie[segment + whole_width : at] + _written(length + len(linked), width)
    return made + linked + movie[at + width :]


def _vint(data: bytes, at: int) -> tuple[int, int]:
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << (7 * width)) - 1)
    return value, width


def _written(value: int, width: int) -> bytes:
    if value >= (1 << (7 * width)) - 1:
        raise ValueError("The element has no room for what it holds now.")
    return ((1 << (7 * width)) | value).to_bytes(width, "big")


def script(path: Path, text: str, target: str, port: int) -> Path:
    name = Path(target).name
    path.write_text(text.format(target=target, name=name, port=port), encoding="utf-8")
    return path
