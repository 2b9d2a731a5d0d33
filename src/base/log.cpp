// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "base/text.hpp"

namespace syncline::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("syncline", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_level(spdlog::level::warn);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) noexcept {
  logger().set_level(to_spdlog(level));
}

bool enabled(Level level) noexcept {
  return logger().should_log(to_spdlog(level));
}

void write(Level level, std::string_view id, std::string_view message) {
  if (!enabled(level)) return;
  if (id.empty()) {
    logger().log(to_spdlog(level), "{}", text::escape_for_display(message));
  } else {
    logger().log(to_spdlog(level), "[{}] {}", text::escape_for_display(id),
                 text::escape_for_display(message));
  }
}

}  // namespace syncline::log
