// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The program's log, on standard error, as text for people or as JSON, one object a line. Callers give
// finished text; it is escaped here (invariant 29). Secrets have no way in: Secret does not convert to text.
#include <string>
#include <string_view>

namespace syncline::log {

enum class Level { debug, info, warning, error, off };
enum class Format { text, json };

/// What a line is about, so that one request, run or item can be followed through the log. Empty: not about
/// one.
struct Ids {
  std::string_view mailbox = {};    ///< address
  std::string_view run = {};        ///< of a mailbox
  std::string_view operation = {};  ///< a write, as in the journal
  std::string_view record = {};
  std::string_view item = {};   ///< the server's id
  std::string_view other = {};  ///< whatever else: a request's id, a part of the program
};

/// Default: warning.
void set_level(Level level) noexcept;
/// Default: text. Before anything is written by other threads.
void set_format(Format format);
bool enabled(Level level) noexcept;
void write(Level level, const Ids& ids, std::string_view message);
/// `id` follows one request or item through the log; may be empty.
void write(Level level, std::string_view id, std::string_view message);

inline void debug(std::string_view id, std::string_view message) {
  write(Level::debug, id, message);
}
inline void info(std::string_view id, std::string_view message) {
  write(Level::info, id, message);
}
inline void warning(std::string_view id, std::string_view message) {
  write(Level::warning, id, message);
}
inline void error(std::string_view id, std::string_view message) {
  write(Level::error, id, message);
}

/// A line without its time and, as text, without its level: "[a@b run=7] message", or the rest of an object:
/// "\"level\":\"info\",…}".
std::string format_line(Format format, Level level, const Ids& ids, std::string_view message);

}  // namespace syncline::log
