// Google's auth library with a key file: java KeyFile.java KEY_FILE URL prints what is at the URL, or the refusal.
import com.google.auth.oauth2.GoogleCredentials;
import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;

public class KeyFile {
  public static void main(String[] args) throws Exception {
    GoogleCredentials credentials;
    try (FileInputStream key = new FileInputStream(args[0])) {
      credentials = GoogleCredentials.fromStream(key)
          .createScoped(List.of("https://www.googleapis.com/auth/compute"));
    }
    String token = credentials.refreshAccessToken().getTokenValue();
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(args[1])).header("Authorization", "Bearer " + token).build();
    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    System.out.println(answer.body());
  }
}
