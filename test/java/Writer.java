import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;

/**
 * Adds numbers to a set at a Redis that it finds by name, with the JVM's default caches, until its input ends: {@code java
 * Writer.java NAME KEY}. A plain socket: what a pool adds is not measured. For each number it prints when Redis has
 * acknowledged it, as milliseconds since 1970, and for each failure the class of the exception.
 */
public final class Writer {
  private static final int PORT = 6379;
  private static final int TIMEOUT_MS = 500;
  private static final int PAUSE_MS = 10;

  public static void main(String[] args) throws Exception {
    Thread reader = new Thread(Writer::exitWithInput);
    reader.setDaemon(true);
    reader.start();
    int number = 0;
    while (true) {
      try (Socket socket = new Socket()) {
        InetSocketAddress address = new InetSocketAddress(args[0], PORT);
        if (address.isUnresolved()) throw new UnknownHostException(args[0]);
        socket.connect(address, TIMEOUT_MS);
        socket.setSoTimeout(TIMEOUT_MS);
        BufferedReader answers =
            new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        while (true) {
          number += 1;
          add(socket, answers, args[1], number);
          Thread.sleep(PAUSE_MS);
        }
      } catch (IOException failure) {
        print("failed " + failure.getClass().getSimpleName());
        Thread.sleep(PAUSE_MS);
      }
    }
  }

  private static void add(Socket socket, BufferedReader answers, String key, int number) throws IOException {
    socket.getOutputStream().write(("SADD " + key + " " + number + "\r\n").getBytes(StandardCharsets.UTF_8));
    String answer = answers.readLine();
    if (answer == null || !answer.startsWith(":")) throw new IOException(String.valueOf(answer));
    print("acknowledged " + number + " " + System.currentTimeMillis());
  }

  private static void print(String line) {
    System.out.println(line);
  }

  private static void exitWithInput() {
    try {
      while (System.in.read() >= 0) continue;
    } catch (IOException ended) {
      // The parent is gone.
    }
    System.exit(0);
  }
}
