// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"

namespace exchange_sim::testing {

namespace text = syncline::text;

namespace {

std::span<const std::byte> octets_of(const std::string& octets) {
  return std::as_bytes(std::span(octets.data(), octets.size()));
}

std::string http_request(const std::string& host, const std::string& method, const std::string& target,
                         const std::vector<std::pair<std::string, std::string>>& fields,
                         const std::string& body) {
  std::string out = method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
  for (const auto& [name, value] : fields) out += name + ": " + value + "\r\n";
  if (method == "POST" || !body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return out + "\r\n" + body;
}

net::Async<net::StreamPtr> connect(net::testing::VirtualWorld& world, std::string host, bool tls) {
  auto& environment = world.environment();
  auto stream = co_await environment.connector.connect(world.address_of(host), tls ? 443 : 80);
  if (!stream || !tls) co_return std::move(stream);
  const net::TlsPolicy policy;  // named: g++ 12 destroys an aggregate made inside a co_await twice
  auto secured = co_await environment.connector.start_tls(std::move(*stream), host, policy);
  co_return std::move(secured);
}

/// Joins the chunks of `octets`; true when the last one is there.
bool unchunk(std::string_view octets, std::string& body) {
  body.clear();
  while (true) {
    const auto end = octets.find("\r\n");
    if (end == octets.npos) return false;
    const auto size = std::stoul(std::string(octets.substr(0, end)), nullptr, 16);
    octets.remove_prefix(end + 2);
    if (size == 0) return true;
    if (octets.size() < size + 2) {
      body += octets.substr(0, size);
      return false;
    }
    body += octets.substr(0, size);
    octets.remove_prefix(size + 2);
  }
}

}  // namespace

std::vector<std::string> HttpAnswer::fields(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto line : text::split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon != line.npos && text::equals_ignore_case(line.substr(0, colon), name)) {
      out.emplace_back(text::trim(line.substr(colon + 1)));
    }
  }
  return out;
}

std::string HttpAnswer::field(std::string_view name) const {
  const auto all = fields(name);
  return all.empty() ? std::string() : all.front();
}

net::Async<HttpAnswer> Wire::ask_async(std::string method, std::string target,
                                       std::vector<std::pair<std::string, std::string>> fields,
                                       std::string body) {
  if (!stream_) {
    auto connected = co_await connect(world_, host_, tls_);
    if (!connected) co_return syncline::fail(std::move(connected.error()));
    stream_ = std::move(*connected);
  }
  const std::string request = http_request(host_, method, target, fields, body);
  auto sent = co_await stream_->write_all(octets_of(request));
  if (!sent) co_return syncline::fail(std::move(sent.error()));
  std::string all;
  std::vector<std::byte> buffer(64 * 1024);
  HttpAnswer answer;
  while (true) {
    const auto head_end = all.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      answer.head = all.substr(0, head_end);
      answer.status = std::stoi(answer.head.substr(9, 3));
      const auto rest = std::string_view(all).substr(head_end + 4);
      const auto length = answer.field("Content-Length");
      if (text::equals_ignore_case(answer.field("Transfer-Encoding"), "chunked")) {
        if (unchunk(rest, answer.body)) break;
      } else {
        answer.body = rest;
        if (!length.empty() && rest.size() >= std::stoul(length)) break;
        if (length.empty()) break;
      }
    }
    auto count = co_await stream_->read_some(buffer);
    if (!count || *count == 0) {
      answer.ended_early = true;
      stream_.reset();
      break;
    }
    all.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  answer.octets = all.size();
  co_return answer;
}

net::Async<HttpAnswer> Wire::post_async(const std::string& authorization, std::string body) {
  return ask_async("POST", "/EWS/Exchange.asmx",
                   {{"Authorization", authorization}, {"Content-Type", "text/xml; charset=utf-8"}},
                   std::move(body));
}

HttpAnswer Wire::ask(const std::string& method, const std::string& target,
                     const std::vector<std::pair<std::string, std::string>>& fields,
                     const std::string& body) {
  auto answer = world_.run(ask_async(method, target, fields, body));
  EXPECT_TRUE(answer) << answer.error().describe();
  return answer.value_or(HttpAnswer{});
}

net::asio::awaitable<void> collect_stream(net::testing::VirtualWorld& world, std::string host,
                                          std::string request, std::shared_ptr<std::string> collected,
                                          std::shared_ptr<bool> ended) {
  auto stream = co_await connect(world, host, true);
  if (!stream) co_return;
  const std::string wire = http_request(
      host, "POST", "/EWS/Exchange.asmx",
      {{"Authorization", basic("anna@example.test", "secret")}, {"Content-Type", "text/xml; charset=utf-8"}},
      request);
  auto sent = co_await (*stream)->write_all(octets_of(wire));
  std::vector<std::byte> buffer(64 * 1024);
  while (sent) {
    auto count = co_await (*stream)->read_some(buffer);
    if (!count || *count == 0) break;
    collected->append(reinterpret_cast<const char*>(buffer.data()), *count);
    if (collected->ends_with("\r\n0\r\n\r\n")) break;
  }
  *ended = true;
}

std::string soap(const std::string& body, const std::string& header) {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "
         "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
         "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
         "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Header>"
         "<t:RequestServerVersion Version=\"Exchange2013_SP1\"/>" +
         header + "</s:Header><s:Body>" + body + "</s:Body></s:Envelope>";
}

std::string get_item() {
  return "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:ItemId "
         "Id=\"A1\"/>"
         "<t:ItemId Id=\"A2\"/></m:ItemIds></m:GetItem>";
}

std::string impersonating(const std::string& kind, const std::string& address) {
  return "<t:ExchangeImpersonation><t:ConnectingSID><t:" + kind + ">" + address + "</t:" + kind +
         "></t:ConnectingSID></t:ExchangeImpersonation>";
}

std::string basic(const std::string& user, const std::string& password) {
  return "Basic " + syncline::base64_encode(std::string_view(user + ":" + password));
}

Config two_sites() {
  Config config;
  config.control_token = Secret(std::string_view("control"));
  Site onprem;
  onprem.name = "onprem";
  onprem.hosts = {"mail.example.test"};
  onprem.schemes = {Scheme::basic};
  User anna;
  anna.address = "anna@example.test";
  anna.password = Secret(std::string_view("secret"));
  anna.aliases = {"anna.alias@example.test"};
  User bert;
  bert.address = "bert@example.test";
  bert.password = Secret(std::string_view("geheim"));
  User robot;
  robot.address = "robot@example.test";
  robot.password = Secret(std::string_view("robot"));
  robot.has_mailbox = false;
  robot.may_impersonate = {"*"};
  onprem.users = {anna, bert, robot};
  Site online;
  online.name = "online";
  online.product = Product::online;
  online.hosts = {"outlook.example.test"};
  online.schemes = {Scheme::bearer};
  User cora;
  cora.address = "cora@example.test";
  cora.aliases = {"cora@tenant.example.test", "bert@tenant.example.test"};
  online.users = {cora};
  online.oauth.tenant = "tenant-id";
  Application app;
  app.client_id = "app-1";
  app.secret = Secret(std::string_view("app secret & more"));
  online.oauth.applications = {app};
  online.oauth.refresh_tokens = {{Secret(std::string_view("refresh-0")), "app-1", "cora@example.test"}};
  config.sites = {onprem, online};
  return config;
}

void FrontTest::start(Config config) {
  auto made = ExchangeSim::create(world.environment(), std::move(config), service);
  ASSERT_TRUE(made) << made.error().describe();
  sim = std::move(*made);
  for (const auto& site : sim->config().sites) {
    for (const auto& host : site.hosts) {
      world.serve_http(host, 443, sim->handler(site.name));
      world.serve_http(host, 80, sim->handler(site.name));
    }
  }
  world.serve_http("control.test", 80, sim->control_handler());
}

HttpAnswer FrontTest::ews(const std::string& body, std::vector<std::pair<std::string, std::string>> fields) {
  bool has_authorization = false;
  for (const auto& field : fields) has_authorization = has_authorization || field.first == "Authorization";
  if (!has_authorization) fields.emplace_back("Authorization", basic("anna@example.test", "secret"));
  fields.emplace_back("Content-Type", "text/xml; charset=utf-8");
  return Wire(world, "mail.example.test", true).ask("POST", "/EWS/Exchange.asmx", fields, body);
}

HttpAnswer FrontTest::online(const std::string& token, const std::string& body) {
  return Wire(world, "outlook.example.test", true)
      .ask("POST", "/EWS/Exchange.asmx", {{"Authorization", "Bearer " + token}, {"Content-Type", "text/xml"}},
           body);
}

}  // namespace exchange_sim::testing
