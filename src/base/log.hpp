// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The program's log, on standard error. Callers give finished text; it is escaped here (invariant 29). Secrets have no
// way in: Secret does not convert to text.
#include <string_view>

namespace syncline::log {

enum class Level { debug, info, warning, error, off };

/// Default: warning.
void set_level(Level level) noexcept;
bool enabled(Level level) noexcept;
/// `id` follows one request or item through the log; may be empty.
void write(Level level, std::string_view id, std::string_view message);

inline void debug(std::string_view id, std::string_view message) { write(Level::debug, id, message); }
inline void info(std::string_view id, std::string_view message) { write(Level::info, id, message); }
inline void warning(std::string_view id, std::string_view message) { write(Level::warning, id, message); }
inline void error(std::string_view id, std::string_view message) { write(Level::error, id, message); }

}  // namespace syncline::log
