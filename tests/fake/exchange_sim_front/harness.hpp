// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The front in virtual time, before a service that answers what the test tells it to.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/testing/virtual_world.hpp"
#include "tools/exchange-sim/front/exchange_sim.hpp"

namespace exchange_sim::testing {

/// Stands for the mailboxes.
class ScriptedService final : public Service {
 public:
  Reply handle(const Caller& caller, std::string_view soap_xml) override {
    callers.push_back(caller);
    requests.emplace_back(soap_xml);
    return answer ? answer(caller, soap_xml) : reply;
  }
  std::vector<UnusableSubscription> unusable_subscriptions(const Caller&,
                                                           const std::vector<std::string>& ids) override {
    std::vector<UnusableSubscription> out;
    for (const auto& id : ids) {
      if (denied.contains(id)) {
        out.push_back({id, true});
      } else if (!subscriptions.contains(id)) {
        out.push_back({id, false});
      }
    }
    return out;
  }
  std::vector<Notification> drain(const std::vector<std::string>& ids) override {
    std::vector<Notification> out;
    for (const auto& id : ids) {
      for (auto& event : waiting[id]) out.push_back({id, std::move(event)});
      waiting[id].clear();
    }
    return out;
  }
  void on_event(std::function<void(const std::string&)> wanted) override { callback = std::move(wanted); }

  void happen(const std::string& id, std::string event_xml) {
    waiting[id].push_back(std::move(event_xml));
    callback(id);
  }

  std::vector<Caller> callers;
  std::vector<std::string> requests;
  Reply reply{
      200,
      "<m:GetItemResponse xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
      "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>"
      "<m:GetItemResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>"
      "<m:Items><t:Message><t:ItemId Id=\"A1\" ChangeKey=\"C1\"/><t:Subject>Quarterly figures</t:Subject>"
      "<t:Sensitivity>Normal</t:Sensitivity></t:Message></m:Items></m:GetItemResponseMessage>"
      "</m:ResponseMessages></m:GetItemResponse>"};
  std::function<Reply(const Caller&, std::string_view)> answer;
  std::set<std::string> subscriptions;
  std::set<std::string> denied;  ///< subscriptions of other accounts
  std::map<std::string, std::vector<std::string>> waiting;
  std::function<void(const std::string&)> callback;
};

struct HttpAnswer {
  int status = 0;
  std::string head;  ///< status line and fields
  std::string body;  ///< chunks joined
  std::size_t octets = 0;
  bool ended_early = false;
  /// First field of that name, or "".
  std::string field(std::string_view name) const;
  std::vector<std::string> fields(std::string_view name) const;
};

/// One connection that speaks HTTP/1.1 by hand, so that tests see every octet.
class Wire {
 public:
  Wire(net::testing::VirtualWorld& world, std::string host, bool tls)
      : world_(world), host_(std::move(host)), tls_(tls) {}
  /// Connects at the first use, and again after a connection has ended.
  HttpAnswer ask(const std::string& method, const std::string& target,
                 const std::vector<std::pair<std::string, std::string>>& fields = {},
                 const std::string& body = {});
  net::Async<HttpAnswer> ask_async(std::string method, std::string target,
                                   std::vector<std::pair<std::string, std::string>> fields, std::string body);
  /// POST to EWS. (g++ 12 cannot have the braces of a list inside a co_await.)
  net::Async<HttpAnswer> post_async(const std::string& authorization, std::string body);
  /// Ends the connection; a read that is under way fails.
  void close() {
    if (stream_) stream_->close();
  }

 private:
  net::testing::VirtualWorld& world_;
  std::string host_;
  bool tls_;
  net::StreamPtr stream_;
};

/// A streaming answer, read as it comes. `collected` grows; the coroutine ends with the connection.
net::asio::awaitable<void> collect_stream(net::testing::VirtualWorld& world, std::string host,
                                          std::string request, std::shared_ptr<std::string> collected,
                                          std::shared_ptr<bool> ended);

std::string soap(const std::string& body, const std::string& header = {});
std::string get_item();
std::string impersonating(const std::string& kind, const std::string& address);
std::string basic(const std::string& user, const std::string& password);

/// Two sites: on-premises mail.example.test (Basic), and online outlook.example.test (Bearer).
Config two_sites();

class FrontTest : public ::testing::Test {
 protected:
  void start(Config config);
  /// POSTs to EWS of the on-premises site, as anna.
  HttpAnswer ews(const std::string& body, std::vector<std::pair<std::string, std::string>> fields = {});
  /// POSTs to EWS of the online site with a Bearer token.
  HttpAnswer online(const std::string& token, const std::string& body);
  LogEntry last() const { return sim->log().entries().back(); }

  net::testing::VirtualWorld world;
  ScriptedService service;
  std::unique_ptr<ExchangeSim> sim;
};

}  // namespace exchange_sim::testing
