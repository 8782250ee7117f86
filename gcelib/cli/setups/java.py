"""Java: a client of Google's library that ends up here, and one that needs nothing but the JDK."""

from __future__ import annotations

import json

from gcelib.cli.setups.setup import File, Setup, fill, quote, token_line

_LIBRARY = """\
// Compute Engine through gcelib with Google's library, com.google.cloud:google-cloud-compute
import com.google.api.gax.core.FixedCredentialsProvider;
import com.google.auth.oauth2.@KIND@;
import com.google.cloud.compute.v1.Zone;
import com.google.cloud.compute.v1.ZonesClient;
import com.google.cloud.compute.v1.ZonesSettings;
@IMPORTS@
public class Zones {
  static final String PROJECT = @PROJECT@;

  public static void main(String[] args) throws Exception {
    ZonesSettings settings =
        ZonesSettings.newBuilder()
            .setEndpoint(@URL@)
            .setCredentialsProvider(FixedCredentialsProvider.create(credentials()))
            .build();
    try (ZonesClient zones = ZonesClient.create(settings)) {
      for (Zone zone : zones.list(PROJECT).iterateAll()) {
        System.out.println(zone.getName() + " " + zone.getStatus());
      }
    }
  }

@CREDENTIALS@}
"""

_KEY_FILE = """\
  static GoogleCredentials credentials() throws Exception {
    try (FileInputStream key = new FileInputStream(@KEY@)) {
      return GoogleCredentials.fromStream(key)
          .createScoped(List.of("https://www.googleapis.com/auth/compute"));
    }
  }
"""

_TOKEN = """\
  static GoogleCredentials credentials() {
    return GoogleCredentials.create(new AccessToken(System.getenv("GCELIB_TOKEN"), null));
  }
"""

_PLAIN = """\
// Compute Engine through gcelib with nothing but the JDK, 11 or newer.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Rest {
  static final String ZONES = @ZONES@;

  public static void main(String[] args) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(ZONES))
            .header("Authorization", "Bearer " + System.getenv("GCELIB_TOKEN"))
            .build();
    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    System.out.println(answer.body());
    System.exit(answer.statusCode() == 200 ? 0 : 1);
  }
}
"""

_TRUST = """\
# Java trusts what is in this store, in place of the CAs that it comes with.
mkdir -p @FOLDER@ && rm -f @STORE@
keytool -importcert -noprompt -alias gcelib -file @CA@ -keystore @STORE@ -storetype PKCS12 -storepass changeit
export JAVA_TOOL_OPTIONS=@OPTIONS@
"""


def files(setup: Setup) -> list[File]:
    """The two programs, and the environment they need."""
    environment = token_line(setup, "GCELIB_TOKEN")
    if setup.ca_file:
        store = f"{setup.folder}/gcelib.p12"
        options = f'"-Djavax.net.ssl.trustStore={store}" -Djavax.net.ssl.trustStorePassword=changeit'
        environment += fill(_TRUST, FOLDER=quote(setup.folder), STORE=quote(store), CA=quote(setup.ca_file),
                            OPTIONS=quote(options))
    return [
        File("env.sh", environment, "source env.sh"),
        File("Zones.java", _library(setup), 'java -cp "$JARS" Zones.java'),
        File("Rest.java", fill(_PLAIN, ZONES=json.dumps(f"{setup.url}/compute/v1/projects/{setup.project}/zones")),
             "java Rest.java"),
    ]


def _library(setup: Setup) -> str:
    if setup.own_keys:
        kinds, imports, credentials = "AccessToken;\nimport com.google.auth.oauth2.GoogleCredentials", "", _TOKEN
    else:
        kinds, imports = "GoogleCredentials", "import java.io.FileInputStream;\nimport java.util.List;\n"
        credentials = fill(_KEY_FILE, KEY=json.dumps(setup.key_path))
    return fill(_LIBRARY, KIND=kinds, IMPORTS=imports, PROJECT=json.dumps(setup.project), URL=json.dumps(setup.url),
                CREDENTIALS=credentials)
