# frozen_string_literal: true

module AutherCutover
  class << self
    # Is this the user's password? The block is the application's own comparison; of who has moved, Auther's
    # copy is the right one.
    def password?(env, user_id, password)
      user = Person.new(user_id.to_s, nil)
      moved = AutherPassword.of?(user)
      right = moved ? AutherPassword.right?(user, password) : yield
      env[Doors::ACCEPTED] = user.id if right
      env[Doors::PASSWORD] = password if right && !moved
      right
    rescue Unavailable => error
      throw Doors::ANSWER, Answers.unavailable(error.retry_after_s)
    end

    # Asked before a link to a new password is used up, and before password, address or account are changed: are
    # they Auther's business?
    def account_at_auther?(user_id)
      Home.account_at_auther?(Person.new(user_id.to_s, nil))
    end

    # Where somebody with a link to a new password goes on, or nil: the link is honoured here. Ends the request
    # with 503 when Auther cannot be asked, so that the link is not used up.
    def reset_url(user_id)
      ResetTicket.url(Person.new(user_id.to_s, nil)) if account_at_auther?(user_id)
    rescue Plugin::Unreachable, Plugin::Refused
      throw Doors::ANSWER, Answers.unavailable(Plugin::RETRY_AFTER_S)
    end
  end
end
