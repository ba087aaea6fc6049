package dev.guardedby.spring.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientAdapter;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.HttpExchange;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;
import org.springframework.web.service.registry.ImportHttpServices;
import reactor.core.publisher.Mono;

/** HTTP interfaces, which no class implements: the annotation on the interface, a default method as the fallback. */
final class HttpInterfacesTest {
    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            String path = exchange.getRequestURI().getPath();
            byte[] body = ("rate of " + path.substring(path.lastIndexOf('/') + 1)).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(path.endsWith("bad") ? 500 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @ParameterizedTest
    @CsvSource({"true, made", "false, made", "true, imported", "false, imported"})
    void blockingClient_isGuarded_andItsDefaultMethodsAnswer(boolean proxyTargetClass, String how) {
        Class<?> configuration = how.equals("made") ? Made.class : Imported.class;
        try (ConfigurableApplicationContext context = application(proxyTargetClass, configuration)) {
            Rates rates = context.getBean(Rates.class);
            assertThat(AopUtils.isJdkDynamicProxy(rates)).isTrue();
            assertThat(List.of(rates.rate("eur"), rates.rate("bad"), rates.both("eur", "usd")))
                    .containsExactly("rate of eur", "flat bad", "rate of eur, rate of usd");
            assertThatExceptionOfType(HttpServerErrorException.class).isThrownBy(() -> rates.both("eur", "bad"));
            assertThat(history(context, "rates")).isEqualTo("1 ok, 1 failed, 0 refused");
            assertThat(history(context, "both")).isEqualTo("1 ok, 1 failed, 0 refused");

            int before = requests.get();
            context.getBean(CircuitBreakerRegistry.class).get("rates").holdOpen();
            assertThat(rates.rate("eur")).isEqualTo("closed for eur");
            assertThat(requests).hasValue(before);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void reactiveClient_isGuardedAtEachSubscription(boolean proxyTargetClass) {
        try (ConfigurableApplicationContext context = application(proxyTargetClass, MadeLater.class)) {
            LaterRates rates = context.getBean(LaterRates.class);
            Mono<String> eur = rates.rate("eur");
            assertThat(requests).hasValue(0);
            assertThat(List.of(eur.block(), eur.block(), rates.rate("bad").block()))
                    .containsExactly("rate of eur", "rate of eur", "flat bad");
            assertThat(requests).hasValue(3);
            assertThat(history(context, "later")).isEqualTo("2 ok, 1 failed, 0 refused");

            context.getBean(CircuitBreakerRegistry.class).get("later").holdOpen();
            assertThat(eur.block()).isEqualTo("flat eur");
            assertThatExceptionOfType(CallNotPermittedException.class)
                    .isThrownBy(() -> rates.bare("eur").block());
            assertThat(requests).hasValue(3);
            assertThat(history(context, "later")).isEqualTo("2 ok, 1 failed, 2 refused");
        }
    }

    private ConfigurableApplicationContext application(boolean proxyTargetClass, Class<?> configuration) {
        return new SpringApplicationBuilder(configuration)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.aop.proxy-target-class=" + proxyTargetClass,
                        "rates.url=http://127.0.0.1:" + server.getAddress().getPort())
                .run();
    }

    private static String history(ConfigurableApplicationContext context, String name) {
        CircuitBreakerStats stats = context.getBean(CircuitBreakerRegistry.class)
                .find(name)
                .orElseThrow()
                .stats();
        return stats.totalSuccesses() + " ok, " + stats.totalFailures() + " failed, " + stats.totalRejected()
                + " refused";
    }

    /** Public, because Spring cannot call {@code both} on others. */
    public interface Rates {
        @GetExchange("/rates/{currency}")
        @GuardedBy(name = "rates", fallback = "flat") String rate(@PathVariable("currency") String currency);

        @GetExchange("/rates/{currency}")
        String unguarded(@PathVariable("currency") String currency);

        @GuardedBy("both") default String both(String one, String other) {
            return unguarded(one) + ", " + unguarded(other);
        }

        default String flat(String currency, HttpServerErrorException primary) {
            return "flat " + currency;
        }

        default String flat(String currency, CallNotPermittedException refused) {
            return "closed for " + currency;
        }
    }

    /** Not public: Spring could not call {@code flat}. */
    @HttpExchange("/rates")
    @GuardedBy(name = "later", fallback = "flat") interface LaterRates {
        @GetExchange("/{currency}")
        Mono<String> rate(@PathVariable("currency") String currency);

        @GetExchange("/{currency}")
        @GuardedBy("later") Mono<String> bare(@PathVariable("currency") String currency);

        default Mono<String> flat(String currency) {
            return Mono.just("flat " + currency);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Made {
        @Bean
        Rates rates(@Value("${rates.url}") String url) {
            RestClient client = RestClient.builder()
                    .requestFactory(new JdkClientHttpRequestFactory())
                    .baseUrl(url)
                    .build();
            return HttpServiceProxyFactory.builderFor(RestClientAdapter.create(client))
                    .build()
                    .createClient(Rates.class);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class MadeLater {
        @Bean
        LaterRates laterRates(@Value("${rates.url}") String url) {
            WebClient client = WebClient.builder()
                    .clientConnector(new JdkClientHttpConnector())
                    .baseUrl(url)
                    .build();
            return HttpServiceProxyFactory.builderFor(WebClientAdapter.create(client))
                    .build()
                    .createClient(LaterRates.class);
        }
    }

    /** As Spring registers them itself, from a list of interfaces. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @ImportHttpServices(group = "rates", types = Rates.class)
    static class Imported {
        @Bean
        static RestClientHttpServiceGroupConfigurer urls(@Value("${rates.url}") String url) {
            return groups -> groups.forEachClient((group, builder) ->
                    builder.requestFactory(new JdkClientHttpRequestFactory()).baseUrl(url));
        }
    }
}
