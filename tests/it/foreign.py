#!/usr/bin/env python3
"""foreign - the programs of others that scenarios run, by package name and pinned version.

Go's are pinned by tests/peers/go.mod, grpc-java's jars here. Each is made once under $SL_CACHE. Run as
a script it makes them all.
"""
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import CACHE, ROOT, Failed, note, peer

PACKAGES = {
    "grpc-go-interop-client": "google.golang.org/grpc/interop/client",
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl",
    "h2spec": "github.com/summerwind/h2spec/cmd/h2spec",
}
GRPC_JAVA = "1.68.2"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice.test</groupId><artifactId>interop</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.grpc</groupId><artifactId>grpc-interop-testing</artifactId>
      <version>{GRPC_JAVA}</version>
    </dependency>
  </dependencies>
</project>
"""
# For programs that live for a second: little heap, one compiler.
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


def go(name):
    """One of PACKAGES; quick when it is built already."""
    return peer(name, PACKAGES[name])


def grpc_java():
    """The directory of the jars. A download that broke off is not taken for a whole one: they get
    their place when all are there."""
    place = CACHE / f"grpc-java-{GRPC_JAVA}"
    if place.is_dir():
        return place
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=CACHE))
    (fresh / "pom.xml").write_text(POM, encoding="ascii")
    note(f"fetching grpc-java {GRPC_JAVA}")
    done = subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "dependency:copy-dependencies",
                           "-DincludeScope=runtime", "-DoutputDirectory=jars"], cwd=fresh,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or not list(fresh.glob(f"jars/grpc-interop-testing-{GRPC_JAVA}.jar")):
        raise Failed(f"Maven could not fetch grpc-java: {done.stdout[-2000:]}")
    try:
        (fresh / "jars").rename(place)
    except OSError:
        if not place.is_dir(): # else somebody else was quicker
            raise
    shutil.rmtree(fresh)
    return place


def java(*words):
    """The command that runs a class of the jars, or a source file beside them."""
    return ["java", *JVM, "-cp", f"{grpc_java()}/*", *words]


def java_trust(lab, ca):
    """The words that make Java trust one authority."""
    store = lab.path("trust.p12")
    subprocess.run(["keytool", "-importcert", "-noprompt", "-file", ca, "-alias", "ca", "-keystore",
                    store, "-storepass", "interop"], check=True, capture_output=True)
    return [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=interop"]


def java_interop_server():
    return java(ROOT / "tests/peers/java/InteropServer.java")


if __name__ == "__main__":
    for program in PACKAGES:
        go(program)
    grpc_java()
