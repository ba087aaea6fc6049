package dev.guardedby.spring.models;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.client.advisor.ChatModelCallAdvisor;
import org.springframework.ai.chat.client.advisor.ChatModelStreamAdvisor;
import org.springframework.ai.chat.client.advisor.api.Advisor;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.ReflectionUtils;

/**
 * Tells how often the clients of OpenAI's and Anthropic's SDK try by which models of Spring AI 2.0 ask. Options have that number, too, but a
 * client has its own from its beginning on, which is {@code spring.ai.openai.max-retries} where Spring Boot makes it, and heeds no other. It has
 * no public way to tell.
 */
final class SpringAiClients {
    private static final List<String> SDKS = List.of("com.anthropic.client.", "com.openai.client.");
    /** Where Spring AI's last advisors keep the model that they ask. */
    private static final String MODEL = "chatModel";
    /** Where clients of both SDKs keep what they were made with. */
    private static final String OPTIONS = "clientOptions";

    private SpringAiClients() {}

    /** How often the client behind a chain of advisors tries; null if it does not tell. */
    static @Nullable Integer attempts(List<? extends Advisor> chain) {
        for (Advisor advisor : chain) {
            // Advisors of others may have a model, too.
            boolean asks = advisor instanceof ChatModelCallAdvisor || advisor instanceof ChatModelStreamAdvisor;
            Field field = asks ? ReflectionUtils.findField(advisor.getClass(), MODEL) : null;
            if (field != null && value(field, advisor) instanceof ChatModel model) {
                return attempts(model);
            }
        }
        return null;
    }

    /** All models that are beans; none if one of them cannot be made, which is no reason for a call to fail. */
    static List<ChatModel> beans(ObjectProvider<ChatModel> models) {
        try {
            return models.stream().toList();
        } catch (BeansException broken) {
            return List.of();
        }
    }

    /**
     * How often clients try that understand some options; null if none tells.
     *
     * @param options null for those of any client
     */
    static @Nullable Integer attempts(List<ChatModel> models, @Nullable Object options) {
        return models.stream()
                .filter(model -> options == null
                        || target(model)
                                .getClass()
                                .getPackage()
                                .equals(options.getClass().getPackage()))
                .map(SpringAiClients::attempts)
                .filter(Objects::nonNull)
                .max(Integer::compare)
                .orElse(null);
    }

    private static @Nullable Integer attempts(ChatModel model) {
        Object target = target(model);
        List<Field> clients = new ArrayList<>();
        ReflectionUtils.doWithFields(target.getClass(), clients::add, SpringAiClients::isClient);
        return clients.stream()
                .map(field -> value(field, target))
                .filter(Objects::nonNull)
                .map(SpringAiClients::attemptsOfClient)
                .filter(Objects::nonNull)
                .max(Integer::compare)
                .orElse(null);
    }

    private static Object target(ChatModel model) {
        Object target = AopProxyUtils.getSingletonTarget(model);
        return target == null ? model : target;
    }

    private static boolean isClient(Field field) {
        return SDKS.stream().anyMatch(field.getType().getName()::startsWith);
    }

    private static @Nullable Integer attemptsOfClient(Object client) {
        Field field = ReflectionUtils.findField(client.getClass(), OPTIONS);
        Object options = field == null ? null : value(field, client);
        Method retries = options == null ? null : ReflectionUtils.findMethod(options.getClass(), "maxRetries");
        return retries != null && value(retries, options) instanceof Integer times
                ? ModelRequest.attempts(times)
                : null;
    }

    private static @Nullable Object value(Method method, @Nullable Object of) {
        try {
            return ReflectionUtils.invokeMethod(method, of);
        } catch (RuntimeException inaccessible) {
            return null;
        }
    }

    private static @Nullable Object value(Field field, Object of) {
        try {
            ReflectionUtils.makeAccessible(field);
            return ReflectionUtils.getField(field, of);
        } catch (RuntimeException inaccessible) {
            // In a module of its own, for example.
            return null;
        }
    }
}
