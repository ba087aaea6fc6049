package dev.guardedby.spring.models;

import java.lang.reflect.Method;
import java.util.Objects;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.ai.tool.method.MethodToolCallback;
import org.springframework.util.ReflectionUtils;

/** Methods that take a city, as tools of Spring AI. */
final class Tools {
    static final String DESCRIPTION = "Tells something of a city";

    /** By hand: what would derive it is there in a version for OpenAI's SDK. */
    static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}";

    private Tools() {}

    static ToolCallback of(Object bean, String name) {
        Method method = Objects.requireNonNull(ReflectionUtils.findMethod(bean.getClass(), name, String.class));
        return MethodToolCallback.builder()
                .toolDefinition(ToolDefinition.builder()
                        .name(name)
                        .description(DESCRIPTION)
                        .inputSchema(SCHEMA)
                        .build())
                .toolMethod(method)
                .toolObject(bean)
                .build();
    }
}
