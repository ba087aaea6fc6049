package dev.guardedby.spring.actuate;

import com.jayway.jsonpath.JsonPath;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** An application on a real server with time that a test moves, and a client that asks its Actuator. */
record HttpApplication(ConfigurableApplicationContext context) implements AutoCloseable {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** What was answered. */
    record Response(int status, String body) {}

    static HttpApplication start(String... properties) {
        return start(WebApplicationType.SERVLET, properties);
    }

    static HttpApplication start(WebApplicationType kind, String... properties) {
        return new HttpApplication(new SpringApplicationBuilder(App.class)
                .web(kind)
                .properties(
                        "server.port=0",
                        "management.endpoints.web.exposure.include=*",
                        "management.endpoint.health.show-details=always",
                        "management.health.circuitbreakers.enabled=true",
                        "spring.application.name=orders",
                        "resilience4j.circuitbreaker.instances.llm.register-health-indicator=true")
                .properties(properties)
                .run());
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    Response get(String path) throws Exception {
        return send(HttpRequest.newBuilder(), path);
    }

    Response post(String path, String json) throws Exception {
        return send(
                HttpRequest.newBuilder()
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json)),
                path);
    }

    private Response send(HttpRequest.Builder request, String path) throws Exception {
        String port = context.getEnvironment()
                .getProperty("local.management.port", context.getEnvironment().getProperty("local.server.port", ""));
        URI address = URI.create("http://localhost:" + port + "/actuator" + path);
        HttpResponse<String> response = CLIENT.send(request.uri(address).build(), HttpResponse.BodyHandlers.ofString());
        return new Response(response.statusCode(), response.body());
    }

    static String field(String json, String path) {
        Object value = JsonPath.read(json, "$." + path);
        return value instanceof String text ? text : JsonPath.parse(value).jsonString();
    }

    @Override
    public void close() {
        context.close();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class App {
        @Bean
        AtomicLong time() {
            return new AtomicLong(-5);
        }

        @Bean
        LongSupplier guardedByTicker(AtomicLong time) {
            return time::get;
        }
    }
}
