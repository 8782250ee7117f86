"""What gcelib is made of and what it needs; `pip install .` into an empty environment is enough to run it."""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent


def version() -> str:
    """The version as gcelib/__init__.py says it; importing it here would need what is not installed yet."""
    found = re.search(r'^__version__ = "([^"]+)"', (HERE / "gcelib" / "__init__.py").read_text(), re.MULTILINE)
    if not found:
        raise SystemExit("gcelib/__init__.py has no __version__.")
    return found[1]


def readme() -> str:
    """The long description; a checkout may be built before there is one."""
    path = HERE / "README.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


DOCS = ["sphinx>=8,<10", "myst-parser>=4,<6", "furo>=2024.8,<2028"]
"""What makes docs/ into a site."""
OTEL = ["opentelemetry-sdk>=1.27,<2", "opentelemetry-exporter-otlp-proto-http>=1.27,<2"]
"""What sends traces."""

def pages(section: int) -> list[Path]:
    """The manual pages of a section."""
    return sorted((HERE / "packaging" / "man").glob(f"*.{section}"))


setup(
    name="gcelib",
    version=version(),
    description="The Google Compute Engine v1 API, carried out on your own clouds through Apache Libcloud",
    long_description=readme(),
    long_description_content_type="text/markdown",
    python_requires=">=3.11",
    packages=find_namespace_packages(include=["gcelib", "gcelib.*"], exclude=["*.__pycache__"]),
    package_data={"gcelib": [f"{where}*.{ending}" for where in ("", "**/")
                             for ending in ("json", "html", "css", "js", "svg", "txt", "mako", "ini")]},
    # Pages are there once `make man` has written them, as `make dist` does.
    data_files=[(f"share/man/man{n}", [f"packaging/man/{page.name}" for page in pages(n)]) for n in (1, 5) if pages(n)],
    entry_points={"console_scripts": ["gcelib=gcelib.cli:main"]},
    install_requires=[
        # 3.9.0 takes proxies and passwords from the environment even when told not to.
        "apache-libcloud>=3.9.1,<4",
        "bottle>=0.13,<0.14",
        "cheroot>=11.1.1,<12",
        "oauthlib>=4.0,<5",
        "cachetools>=6.0,<9",
        "SQLAlchemy>=2.0.30,<3",
        "alembic>=1.13,<2",
        "msgspec>=0.18.6,<1",
        # Of these four, older ones have known holes.
        "requests>=2.32.4,<3",
        "PyJWT>=2.10.1,<3",
        "cryptography>=44.0.1,<60",
        "urllib3>=2.6.3,<3",
        "argon2-cffi>=23.1,<27",
        "prometheus-client>=0.20,<1",
        "google-re2>=1.1,<2",
        "platformdirs>=4.0,<5",
        "argcomplete>=3.5,<4",
    ],
    extras_require={
        "postgres": ["psycopg[binary]>=3.3.9,<4"],
        "redis": ["redis>=5.1,<9"],
        "otel": OTEL,
        "test": [
            "pytest>=8.2,<10", "pytest-xdist>=3.5,<4",
            "hypothesis>=6.100,<7", "schemathesis>=4.0,<5", "jsonschema>=4.20,<5",
            "cs>=3.2,<6", "requests-mock>=1.11,<2", "psycopg[binary]>=3.3.9,<4", "redis>=5.1,<9",
            "google-api-python-client>=2.120,<3", "google-cloud-compute>=1.20,<2", "ruff>=0.6,<1", "mypy>=1.10,<3",
            "build>=1.2,<2", "setuptools>=77,<90", "twine>=6.1,<8", "pip-audit>=2.7,<3",
            # EC2, as tests/backends/moto.py serves it.
            "moto[ec2]>=5.0,<6", "flask>=3,<4", "flask-cors>=4,<7",
            *OTEL,
            "PyYAML>=6.0,<7",
            *DOCS,
        ],
        "docs": DOCS,
        "bench": ["matplotlib>=3.8,<4"],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: No Input/Output (Daemon)",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: HTTP Servers",
        "Topic :: System :: Systems Administration",
    ],
    keywords="gce google-compute-engine cloudstack openstack ec2 libcloud",
)
