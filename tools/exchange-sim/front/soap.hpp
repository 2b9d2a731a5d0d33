// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writing what Exchange wraps around an operation's answer: envelopes, faults, error messages, the four busy
// answers.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "tools/exchange-sim/front/config.hpp"

namespace exchange_sim {

/// The envelope of an answer, with ServerVersionInfo of the site.
std::string soap_envelope(const Site& site, std::string_view body_xml);

/// A whole envelope with a SOAP fault. `message_xml` goes inside t:MessageXml; empty: none.
std::string soap_fault(std::string_view code, std::string_view message, std::string_view message_xml = {});

/// The fault of a request that violates the schema.
std::string schema_fault(long line, long position, std::string_view violation);

/// "<t:Value Name="BackOffMilliseconds">…"
std::string back_off_value(std::chrono::milliseconds hint);

/// The Body's child of an answer in which each of `batch` messages is this error.
std::string error_response(std::string_view operation, std::size_t batch, std::string_view code,
                           std::string_view message, std::string_view message_xml = {});

/// The text Exchange gives with a response code, as far as clients look at it.
std::string_view message_of_code(std::string_view code) noexcept;

/// "15.2.1544.14" → the attributes of ServerVersionInfo: MajorVersion="15" … Version="V2017_07_11".
std::string server_version_attributes(const Site& site);

/// True where the site knows that RequestServerVersion.
bool knows_version(const Site& site, std::string_view version) noexcept;

}  // namespace exchange_sim
