package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.models.GuardedByModelsAutoConfiguration;
import dev.guardedby.spring.usage.GuardedByUsageAutoConfiguration;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.reactivestreams.Publisher;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;

/**
 * A Java block of the README or of Javadoc, put into a class with the imports and the remote services it takes for granted: compiled, then
 * run if it is a row of statements, or started as part of an application if it declares something.
 */
final class Snippet {
    private static final String AROUND = """
            import dev.guardedby.circuitbreaker.*;
            import dev.guardedby.spring.*;
            import dev.guardedby.spring.models.*;
            import dev.guardedby.spring.usage.*;
            import java.io.IOException;
            import java.math.BigDecimal;
            import java.time.Duration;
            import java.util.List;
            import java.util.Optional;
            import java.util.concurrent.CompletableFuture;
            import org.springframework.ai.chat.client.ChatClient;
            import org.springframework.ai.chat.messages.AssistantMessage;
            import org.springframework.ai.chat.metadata.ChatResponseMetadata;
            import org.springframework.ai.chat.metadata.DefaultUsage;
            import org.springframework.ai.chat.model.*;
            import org.springframework.context.annotation.*;
            import org.springframework.stereotype.Service;
            import reactor.core.publisher.Flux;

            @Configuration(proxyBeanMethods = false)
            public class Snippet%d {
                public record Answer(String text, Cost cost) {}

                public record Completion(String model, long promptTokens, long completionTokens) {}

                interface Acme {
                    Completion complete(String prompt);
                }

                interface Model {
                    Answer answer(String question);

                    default CompletableFuture<Answer> answerAsync(String question) {
                        return CompletableFuture.completedFuture(answer(question));
                    }
                }

                interface Client {
                    String ask(String question) throws IOException;
                }

                static final class QuotaExceededException extends RuntimeException {
                    private static final long serialVersionUID = 1;
                }

                abstract static class BankException extends RuntimeException {
                    private static final long serialVersionUID = 1;

                    abstract int status();

                    abstract Optional<String> header(String name);

                    abstract List<String> codes();
                }

                static class Remote {
                    String charge(String amount) throws IOException {
                        return amount;
                    }

                    CompletableFuture<String> chargeAsync(String amount) {
                        return CompletableFuture.completedFuture(amount);
                    }
                }

                static final Model model = question -> new Answer("Because.", Cost.of(20, 10, new BigDecimal("0.000024")));
                static final Acme acme = prompt -> new Completion("gpt-4.1-mini", 20, 10);
                static final Remote remote = new Remote();
                static final Client client = question -> "Because.";
                static final CircuitBreaker breaker = CircuitBreaker.of("llm");
                static final String question = "Why?";

                @Bean
                ChatModel chatModel() {
                    return prompt -> ChatResponse.builder()
                            .generations(List.of(new Generation(new AssistantMessage("Because."))))
                            .metadata(ChatResponseMetadata.builder()
                                    .model("gpt-4.1-mini")
                                    .usage(new DefaultUsage(20, 10))
                                    .build())
                            .build();
                }

                @Bean
                ChatClient.Builder chatClientBuilder(ChatModel model) {
                    return ChatClient.builder(model);
                }

                @Bean
                Prices prices() {
                    ModelPrice price = ModelPrice.builder("gpt-4.1-mini")
                            .price(TokenKind.INPUT, new BigDecimal("0.40"))
                            .price(TokenKind.OUTPUT, new BigDecimal("1.60"))
                            .build();
                    return Prices.from(() -> PriceBook.of(List.of(price)));
                }

            %s
            }
            """;
    private static final String IN_A_METHOD = "public void run() throws Exception {\n%s}\n";

    private final Readme.Block block;
    private final Path classes;

    Snippet(Readme.Block block, Path classes) {
        this.block = block;
        this.classes = classes;
    }

    /** Fails with the compiler's words if the block is neither declarations nor statements. */
    void check() throws Exception {
        String asDeclarations = compile(block.text());
        if (asDeclarations.isEmpty()) {
            start();
            return;
        }
        String asStatements = compile(IN_A_METHOD.formatted(block.text()));
        assertThat(asStatements)
                .as("as statements; as declarations the compiler says:%n%s", asDeclarations)
                .isEmpty();
        Class<?> holder = load();
        holder.getMethod("run").invoke(holder.getConstructor().newInstance());
    }

    private String compile(String body) {
        String source = AROUND.formatted(block.line(), body);
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///" + name() + ".java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        List<String> options = List.of(
                "-proc:none",
                "-parameters",
                "-Xlint:all,-processing",
                "-Werror",
                "-d",
                classes.toString(),
                "-cp",
                System.getProperty("java.class.path"));
        boolean compiled = compiler.getTask(new StringWriter(), null, diagnostics, options, null, List.of(file))
                .call();
        return compiled ? "" : diagnostics.getDiagnostics() + "\n" + source;
    }

    private void start() throws Exception {
        Class<?> holder = load();
        Class<?>[] services = Arrays.stream(holder.getDeclaredClasses())
                .filter(type -> type.isAnnotationPresent(Service.class))
                .toArray(Class<?>[]::new);
        new ApplicationContextRunner()
                .withClassLoader(holder.getClassLoader())
                .withConfiguration(AutoConfigurations.of(
                        GuardedByAutoConfiguration.class,
                        GuardedByAopAutoConfiguration.class,
                        GuardedByModelsAutoConfiguration.class,
                        GuardedByUsageAutoConfiguration.class))
                .withUserConfiguration(holder)
                .withInitializer(context -> register((GenericApplicationContext) context, services))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    callGuarded(context, services);
                });
    }

    private static void register(GenericApplicationContext context, Class<?>[] services) {
        for (Class<?> service : services) {
            registerOne(context, service);
        }
    }

    private static <T> void registerOne(GenericApplicationContext context, Class<T> service) {
        context.registerBean(service, () -> {
            @SuppressWarnings("unchecked")
            Constructor<T> constructor = (Constructor<T>) service.getDeclaredConstructors()[0];
            constructor.setAccessible(true);
            Object[] arguments = Arrays.stream(constructor.getParameters())
                    .map(Parameter::getType)
                    .map(context::getBean) // the class around the snippet is a bean, too
                    .toArray();
            try {
                return constructor.newInstance(arguments);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** Calls every annotated method once: each must be counted, with its cost. */
    private static void callGuarded(ApplicationContext context, Class<?>[] services) throws Exception {
        long calls = 0;
        for (Class<?> service : services) {
            for (Method method : service.getDeclaredMethods()) {
                if (method.isAnnotationPresent(GuardedBy.class)) {
                    method.setAccessible(true);
                    Object[] arguments = new Object[method.getParameterCount()];
                    Arrays.fill(arguments, "Why?");
                    if (method.invoke(context.getBean(service), arguments) instanceof Publisher<?> publisher) {
                        Flux.from(publisher).blockLast();
                    }
                    calls++;
                }
            }
        }
        var llm = context.getBean(CircuitBreakerRegistry.class).get("llm").stats();
        assertThat(llm.totalSuccesses()).isEqualTo(calls);
        assertThat(llm.totalEstimatedCost()).isEqualByComparingTo(calls == 0 ? "0" : "0.000024");
    }

    private Class<?> load() throws Exception {
        URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()}, Snippet.class.getClassLoader());
        return loader.loadClass(name());
    }

    private String name() {
        return "Snippet" + block.line();
    }
}
