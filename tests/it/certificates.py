"""certificates - authorities and certificates for a scenario, made anew by the openssl program."""
import subprocess

from harness import Failed

HERE = "DNS:localhost,IP:127.0.0.1,IP:::1"


class Authority:
    """A CA that issues into the lab's directory. `file` is its certificate."""

    def __init__(self, lab, name="ca"):
        self.lab = lab
        self.name = name
        self.key = lab.path(f"{name}.key")
        self.file = lab.path(f"{name}.pem")
        self._run("req", "-x509", *key_words(self.key), "-out", self.file, "-days", 3,
                  "-subj", f"/CN={name}")

    def _run(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(f"openssl {words[0]}: {done.stderr}")

    def issue(self, name, names=HERE, days=3, server=True):
        """The files of a new certificate and its key. `days` -1: it expired yesterday."""
        request, extensions, cert, key = (self.lab.path(f"{name}.{suffix}")
                                          for suffix in ("csr", "ext", "pem", "key"))
        usage = "serverAuth" if server else "clientAuth"
        extensions.write_text(f"extendedKeyUsage={usage}\n" +
                              (f"subjectAltName={names}\n" if names else ""), encoding="ascii")
        self._run("req", "-new", *key_words(key), "-out", request, "-subj", f"/CN={name}")
        self._run("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key,
                  "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", cert)
        return cert, key


def key_words(key):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]


class Certificates:
    """What most scenarios need: a CA, a server and a client that it issued."""

    def __init__(self, lab):
        self.ca = Authority(lab)
        self.server = self.ca.issue("server")
        self.client = self.ca.issue("client", names=None, server=False)

    def device_words(self, demands_clients=True):
        """The flags of `sluice sim` and of tests/peers."""
        words = ["--tls-cert", self.server[0], "--tls-key", self.server[1]]
        return words + (["--tls-ca", self.ca.file] if demands_clients else [])

    def target(self, has_certificate=True, **more):
        """What a target of the configuration says."""
        tls = {"ca": str(self.ca.file)}
        if has_certificate:
            tls.update(cert=str(self.client[0]), key=str(self.client[1]))
        return {"insecure": False, "tls": tls, **more}
