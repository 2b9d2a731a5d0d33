// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Envelopes for tests.
#include <string>

namespace syncline::ews::test {

inline std::string envelope(const std::string& body) {
  return R"(<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>)"
         R"(<h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="986" MinorBuildNumber="5" )"
         R"(Version="V2017_07_11" xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types"/></s:Header>)"
         R"(<s:Body xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" )"
         R"(xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">)" +
         body + "</s:Body></s:Envelope>";
}

/// `value`: what follows the response code in the one message of the reply.
inline std::string reply(const std::string& operation, const std::string& value) {
  return envelope("<m:" + operation + "Response><m:ResponseMessages><m:" + operation +
                  R"(ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>)" +
                  value + "</m:" + operation + "ResponseMessage></m:ResponseMessages></m:" + operation +
                  "Response>");
}

}  // namespace syncline::ews::test
