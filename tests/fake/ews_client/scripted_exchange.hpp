// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A peer for what the test Exchange does not do: each reply is written by the test. In virtual time, over
// memory streams.
#include <gtest/gtest.h>

#include <functional>
#include <regex>
#include <string>
#include <vector>

#include "ews/client/ews_client.hpp"
#include "net/testing/virtual_world.hpp"

namespace syncline::ews::testing {

struct ScriptedReply {
  int status = 200;
  std::string body = {};
  std::string content_type = "text/xml; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

inline std::string envelope(const std::string& body) {
  return R"(<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" )"
         R"(xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" )"
         R"(xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>)"
         R"(<t:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1118" MinorBuildNumber="7" )"
         R"(Version="V2017_07_11"/></s:Header><s:Body>)" +
         body + "</s:Body></s:Envelope>";
}

inline std::string reply_of(const std::string& operation, const std::string& messages) {
  return envelope("<m:" + operation + "Response><m:ResponseMessages>" + messages +
                  "</m:ResponseMessages></m:" + operation + "Response>");
}

inline std::string error_message(const std::string& operation, const std::string& code,
                                 const std::string& xml = "") {
  return "<m:" + operation +
         R"(ResponseMessage ResponseClass="Error"><m:MessageText>no</m:MessageText><m:ResponseCode>)" + code +
         "</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>" +
         (xml.empty() ? "" : "<m:MessageXml>" + xml + "</m:MessageXml>") + "</m:" + operation +
         "ResponseMessage>";
}

inline std::string item_message(const std::string& id, const std::string& inside = "") {
  return R"(<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Items>)"
         R"(<t:Message><t:ItemId Id=")" +
         id + R"(" ChangeKey="K"/>)" + inside + "</t:Message></m:Items></m:GetItemResponseMessage>";
}

inline std::vector<std::string> item_ids_in(const std::string& request) {
  static const std::regex id(R"rx(ItemId Id="([^"]*)")rx");
  std::vector<std::string> ids;
  for (std::sregex_iterator it(request.begin(), request.end(), id), end; it != end; ++it)
    ids.push_back((*it)[1]);
  return ids;
}

/// A world with one scripted server and one client of it.
class ScriptedExchange : public ::testing::Test {
 protected:
  struct Seen {
    std::chrono::milliseconds at;
    std::string body;
    net::Headers headers;
  };

  ScriptedExchange() {
    world_.serve_http(
        "mail.example.test", 443,
        [this](const net::ServerRequest& request, net::Responder& responder) -> net::asio::awaitable<void> {
          seen_.push_back({world_.elapsed(), request.body, request.headers});
          const ScriptedReply reply = answer_(request.body);
          if (delay_.count() > 0) static_cast<void>(co_await world_.sleep(delay_));
          net::Headers headers;
          headers.add("Content-Type", reply.content_type);
          for (const auto& [name, value] : reply.headers) headers.add(name, value);
          static_cast<void>(co_await responder.respond(reply.status, headers, reply.body));
        });
  }

  EwsClient make_client(ClientSettings settings = {}) {
    settings.url = net::parse_url("https://mail.example.test/EWS/Exchange.asmx").value();
    return {world_.environment(), *http_, budgets_, std::move(settings)};
  }

  template <class Request>
  auto call(Request request) {
    return world_.run(client_.call(std::move(request)));
  }

  net::testing::VirtualWorld world_;
  std::function<ScriptedReply(const std::string& request)> answer_;
  std::chrono::milliseconds delay_{0};
  std::vector<Seen> seen_;
  std::unique_ptr<net::HttpClient> http_ = net::make_http_client(world_.environment()).value();
  std::shared_ptr<CredentialBudgets> budgets_ = std::make_shared<CredentialBudgets>(world_.environment());
  EwsClient client_ = make_client();
};

}  // namespace syncline::ews::testing
