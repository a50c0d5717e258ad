import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.testing.integration.TestServiceImpl;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/**
 * The server of grpc-java's interoperability suite, in plaintext on a free port of loopback:
 * upstream's own main listens on every interface. Prints "listening HOST:PORT".
 */
public final class InteropServer {
  private InteropServer() {}

  public static void main(String[] words) throws Exception {
    TestServiceImpl service = new TestServiceImpl(Executors.newSingleThreadScheduledExecutor());
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(ServerInterceptors.intercept(service, TestServiceImpl.interceptors()))
            .build()
            .start();
    System.out.println("listening 127.0.0.1:" + server.getPort());
    server.awaitTermination();
  }
}
