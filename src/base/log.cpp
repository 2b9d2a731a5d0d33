// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <memory>
#include <utility>

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

constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v";
constexpr const char* json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)";

std::atomic<Format>& chosen_format() noexcept {
  static std::atomic<Format> format{Format::text};
  return format;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("syncline", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_level(spdlog::level::warn);
    made->set_pattern(text_pattern, spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

std::string_view word_of(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
    case Level::off:
      break;
  }
  return "error";
}

using NamedIds = std::array<std::pair<std::string_view, std::string_view>, 6>;

NamedIds named(const Ids& ids) {
  return {{{"mailbox", ids.mailbox},
           {"run", ids.run},
           {"operation", ids.operation},
           {"record", ids.record},
           {"item", ids.item},
           {"id", ids.other}}};
}

/// RFC 8259 section 7, of text that is UTF-8 by then.
void append_quoted(std::string& out, std::string_view said) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (const char c : text::escape_for_display(said)) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20) {
      out += "\\u00";
      out += digits[octet >> 4];
      out += digits[octet & 0xf];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

std::string format_line(Format format, Level level, const Ids& ids, std::string_view message) {
  std::string line;
  if (format == Format::json) {
    line = "\"level\":";
    append_quoted(line, word_of(level));
    for (const auto& [name, id] : named(ids)) {
      if (id.empty()) continue;
      line += ',';
      append_quoted(line, name);
      line += ':';
      append_quoted(line, id);
    }
    line += ",\"message\":";
    append_quoted(line, message);
    return line + "}";
  }
  for (const auto& [name, id] : named(ids)) {
    if (id.empty()) continue;
    line += line.empty() ? "[" : " ";
    if (name != "mailbox" && name != "id") (line += name) += '=';
    line += text::escape_for_display(id);
  }
  if (!line.empty()) line += "] ";
  return line + text::escape_for_display(message);
}

void set_format(Format format) {
  chosen_format() = format;
  logger().set_pattern(format == Format::json ? json_pattern : text_pattern, spdlog::pattern_time_type::utc);
}

void set_level(Level level) noexcept {
  logger().set_level(to_spdlog(level));
}

bool enabled(Level level) noexcept {
  return logger().should_log(to_spdlog(level));
}

void write(Level level, const Ids& ids, std::string_view message) {
  if (!enabled(level)) return;
  logger().log(to_spdlog(level), "{}", format_line(chosen_format(), level, ids, message));
}

void write(Level level, std::string_view id, std::string_view message) {
  // The address of a mailbox is the one id that has an at sign.
  const bool is_mailbox = id.find('@') != std::string_view::npos;
  write(level, is_mailbox ? Ids{.mailbox = id} : Ids{.other = id}, message);
}

}  // namespace syncline::log
