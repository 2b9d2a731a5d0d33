// SPDX-License-Identifier: GPL-3.0-or-later
// GSSAPI at Dovecot and Postfix, with tickets of a real KDC: Windows integrated authentication for mail
// hosts.
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "routing/imap/connect.hpp"
#include "routing/pop3/session.hpp"
#include "routing/smtp/session.hpp"
#include "tests/real/kerberos/kdc.hpp"
#include "tests/support/mail_lab.hpp"
#include "tests/support/real_network.hpp"

namespace syncline {
namespace {

using mail::TlsMode;

constexpr const char* host = "mail.example.com";

class MailServersKerberos : public testing::WithKdc, protected testing::RealNetwork {
 protected:
  MailServersKerberos() : RealNetwork({{host, 0, "127.0.0.1"}}) {}

  static void SetUpTestSuite() {
    WithKdc::SetUpTestSuite();
    if (!missing_.empty()) return;
    if (!std::filesystem::exists("/usr/lib/dovecot/modules/auth/libmech_gssapi.so")) {
      missing_ = "dovecot-gssapi";
      return;
    }
    const std::string keytab = (folder_ / "mail.keytab").string();
    for (const char* service : {"imap", "pop", "smtp"}) {
      const std::string principal = std::string(service) + "/" + host;
      admin("addprinc -randkey " + principal);
      admin("ktadd -k " + keytab + " " + principal);
    }
    // Dovecot reads them as a user of its own.
    std::filesystem::permissions(keytab, std::filesystem::perms(0644));
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    setenv("LAB_GSSAPI_KEYTAB", keytab.c_str(), 1);
    setenv("LAB_DOMAIN", "example.com", 1);
    setenv("LAB_USERS", "alice service", 1);
    auto started = testing::MailLab::start({});
    for (const char* name : {"LAB_GSSAPI_KEYTAB", "LAB_DOMAIN", "LAB_USERS"}) unsetenv(name);
    if (started)
      lab_ = std::move(*started);
    else if (started.error().code == "missing")
      missing_ = started.error().message;
    else
      FAIL() << started.error().describe();
  }
  static void TearDownTestSuite() {
    lab_.reset();
    WithKdc::TearDownTestSuite();
  }

  auth::SaslIdentity identity(std::string authorization_id = {},
                              const std::string& keytab = "client.keytab") {
    auth::SaslIdentity made;
    made.user = "service@example.com";
    made.authorization_id = std::move(authorization_id);
    made.integrated = auth::KerberosCredentials{.client_keytab = "FILE:" + (folder_ / keytab).string()};
    return made;
  }
  mail::Endpoint endpoint(std::uint16_t port, TlsMode tls) {
    mail::Endpoint made{.host = host, .port = port, .tls = tls};
    made.policy.ca_file = lab_->ca_file();
    return made;
  }
  mail::ChooseSasl chooser(const auth::SaslIdentity& who) {
    return [this, who](const auth::SaslOffer& offer) { return auth::choose_sasl(offer, who, {}, pool_); };
  }

  Result<void> imap(TlsMode tls, const auth::SaslIdentity& who) {
    imap::ConnectSettings how;
    how.sign_in = {.identity = who, .policy = {}, .blocking = pool_};
    const auto& ports = lab_->ports();
    const mail::Endpoint where = endpoint(tls == TlsMode::implicit ? ports.imaps : ports.imap, tls);
    auto client = run(imap::connect(environment(), where, how));
    if (!client) return fail(std::move(client.error()));
    return run((*client)->noop());
  }
  Result<void> pop3(TlsMode tls, const auth::SaslIdentity& who) {
    pop3::SessionSettings how;
    const auto& ports = lab_->ports();
    how.endpoint = endpoint(tls == TlsMode::implicit ? ports.pop3s : ports.pop3, tls);
    pop3::Login login;
    login.user = who.user;
    login.sasl = [this, who](const auth::SaslOffer& offer, const std::string&) {
      return auth::choose_sasl(offer, who, {}, pool_);
    };
    auto session = run(pop3::Session::open(environment(), how, login));
    if (!session) return fail(std::move(session.error()));
    return {};
  }
  Result<void> smtp(TlsMode tls, const auth::SaslIdentity& who) {
    smtp::SessionSettings how;
    const auto& ports = lab_->ports();
    how.endpoint = endpoint(tls == TlsMode::implicit ? ports.smtps : ports.submission, tls);
    auto session = run(smtp::Session::open(environment(), how, chooser(who)));
    if (!session) return fail(std::move(session.error()));
    return {};
  }

  static inline std::unique_ptr<testing::MailLab> lab_;
};

TEST_F(MailServersKerberos, ATicketSignsInOnEveryProtocol) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    for (const char* whose : {"", "service@EXAMPLE.COM"}) {
      const auto read = imap(tls, identity(whose));
      EXPECT_TRUE(read) << read.error().describe();
      const auto fetched = pop3(tls, identity(whose));
      EXPECT_TRUE(fetched) << fetched.error().describe();
      const auto sent = smtp(tls, identity(whose));
      EXPECT_TRUE(sent) << sent.error().describe();
    }
  }
}

/// Windows integrated authentication is for sending alone; the mailbox is read with its password.
TEST_F(MailServersKerberos, AMailboxTestSendsWithTheMachinesTicket) {
  const auto path = [](const char* name) { return (folder_ / name).string(); };
  const auto& ports = lab_->ports();
  const auto pinned = [](std::uint16_t port) {
    return "\"" + std::string(host) + ":" + std::to_string(port) + ":127.0.0.1\"";
  };
  std::ofstream(path("contoso.toml"))
      << "[[profile]]\nname = \"Host\"\ntype = \"imap_smtp\"\nin_host = \"" << host
      << "\"\nin_port = " << ports.imaps << "\nin_tls = \"implicit\"\nauth_in = \"mailbox_credentials\"\n"
      << "out_host = \"" << host << "\"\nout_port = " << ports.smtps << "\nout_tls = \"implicit\"\n"
      << "auth_out = \"windows_integrated\"\nca_file = \"" << lab_->ca_file() << "\"\nresolve = ["
      << pinned(ports.imaps) << ", " << pinned(ports.smtps) << "]\n"
      << "[[mailbox]]\naddress = \"service@example.com\"\nprofile = \"Host\"\nact = \"none\"\n";
  std::ofstream(path("password")) << "lab-secret\n";
  const auto program = [&](const std::string& keytab, const std::string& arguments) {
    const std::string line = "KRB5CCNAME=FILE:" + path("tickets") +
                             " KRB5_CLIENT_KTNAME=FILE:" + path(keytab.c_str()) +
                             " " SYNCLINE_PROGRAM " --org " + path("contoso") + " --key " + path("key") +
                             " " + arguments + " >" + path("said") + " 2>&1";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const auto said = [&] {
    std::ifstream in(path("said"));
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string right = "client.keytab";
  for (const std::string& arguments :
       {std::string("init --name Contoso"), "apply " + path("contoso.toml"),
        "secret set --mailbox service@example.com --stdin <" + path("password"),
        std::string("mailbox approve service@example.com")})
    ASSERT_EQ(program(right, arguments), 0) << arguments << ": " << said();
  const std::string test = "mailbox test --attempts 1 --step-time 20 service@example.com";
  EXPECT_EQ(program("no-such.keytab", test), 1) << said();
  EXPECT_EQ(program(right, test), 0) << said();
  std::ifstream log(lab_->folder() / "log/postfix.log");
  const std::string all(std::istreambuf_iterator<char>(log), {});
  EXPECT_NE(all.find("sasl_method=GSSAPI, sasl_username=service"), std::string::npos) << said();
}

TEST_F(MailServersKerberos, AnotherUsersMailboxStaysClosed) {
  const auto who = identity("alice@example.com");
  for (const auto& refused :
       {imap(TlsMode::implicit, who), pop3(TlsMode::implicit, who), smtp(TlsMode::implicit, who)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().retry, RetryClass::reauthenticate) << refused.error().describe();
  }
}

TEST_F(MailServersKerberos, WithoutATicketNothingIsSent) {
  const auto who = identity({}, "no-such.keytab");
  for (const auto& refused :
       {imap(TlsMode::implicit, who), pop3(TlsMode::implicit, who), smtp(TlsMode::implicit, who)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().domain, ErrorDomain::auth) << refused.error().describe();
  }
}

}  // namespace
}  // namespace syncline
