// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What surrounds an operation: the request's header, the server's version, faults.
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace syncline::ews {

struct SoapHeader {
  std::string request_server_version = "Exchange2013_SP1";
  /// ExchangeImpersonation by this SMTP address; who may ask for it is invariant 21.
  std::optional<std::string> impersonate_smtp = std::nullopt;
  /// TimeZoneContext, sent with the operations that take one. UTC always, but for tests (invariant 13).
  std::string time_zone_id = "UTC";
};

struct ServerVersionInfo {
  int major = 0;
  int minor = 0;
  int major_build = 0;
  int minor_build = 0;
  std::string version;  ///< "Exchange2013_SP1", "V2_8"; empty before Exchange 2010
  bool operator==(const ServerVersionInfo&) const = default;
};

/// The leaves of a MessageXml: Value elements under their Name, any other element under its own name.
using MessageXml = std::map<std::string, std::string, std::less<>>;

/// The first of BackOffMilliseconds in it that is a number; at most a day.
std::optional<std::chrono::milliseconds> back_off_of(const MessageXml& message_xml);

struct Fault {
  std::string code;     ///< detail/ResponseCode; else faultcode (SOAP 1.2: its Value) without prefix
  std::string message;  ///< detail/Message, else faultstring
  std::string fault_code;
  std::string fault_string;
  MessageXml message_xml = {};
  std::optional<std::chrono::milliseconds> back_off = std::nullopt;
  std::optional<ServerVersionInfo> server = std::nullopt;
};

/// Domain ews if `code` is a response code ("Error…"), else soap; retry class from the table in
/// response_code.hpp.
Error to_error(const Fault& fault);

}  // namespace syncline::ews
