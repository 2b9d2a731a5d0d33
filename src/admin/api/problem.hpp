// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What went wrong, as other programs see it: application/problem+json (RFC 9457).
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::admin::api {

inline constexpr std::string_view problem_type = "application/problem+json";

/// {"type":"urn:syncline:problem:CODE","title","status","code","detail"} and what `more` adds. Codes are
/// stable; docs/api.md lists them. The title is the status' own.
std::string problem_json(int status, std::string_view code, std::string_view detail,
                         const boost::json::object& more = {});

/// The status that an error of a handler means.
int status_of(const Error& error) noexcept;

/// Seconds after which it makes sense to ask again (Retry-After); nullopt: it does not by itself.
std::optional<int> retry_after_of(const Error& error) noexcept;

/// What a client is told: the error's words where they are about the request, else a sentence that tells
/// nothing about the machine (its log has the rest).
std::string detail_of(const Error& error);

}  // namespace syncline::admin::api
