# frozen_string_literal: true

module AutherCutover
  # What Devise's own pages would change of a user who is at home at Auther is Auther's business.
  module AccountPages
    module_function

    # For Devise's controllers and those that an application derives from them.
    def close
      Devise::PasswordsController.before_action(ResetLink, only: %i[edit update])
      Devise::RegistrationsController.before_action(AccountChange, only: %i[update destroy])
    end

    # A link to a new password that was on its way when the user moved: it ends here, and Auther lets the
    # person set a password there. Nobody can be asked: the link is used up, and no password is set.
    module ResetLink
      module_function

      def before(controller)
        # HEAD comes from what looks at links before people do.
        user = controller.request.head? ? nil : moved_user(controller.params)
        return unless user

        url = ResetTicket.url(user)
        controller.redirect_to(url, status: :see_other, allow_other_host: true) if used_up?(user)
      rescue Plugin::Unreachable, Plugin::Refused
        controller.response.headers["Retry-After"] = Plugin::RETRY_AFTER_S.to_s
        controller.render(plain: "This link cannot be used at the moment. Try again.", status: :service_unavailable)
      end

      # Devise reads the token of the query for the page and the form's for the change: who sends both
      # does not choose which one is looked at here.
      def moved_user(params)
        form = params[AutherCutover.settings.scope]
        given = [params[:reset_password_token], (form[:reset_password_token] if form.respond_to?(:key?))]
        users = given.grep(String).filter_map { |raw| AutherCutover.settings.model.with_reset_password_token(raw) }
        users.find { |user| user.reset_password_period_valid? && Home.account_at_auther?(user) }
      end

      # Two requests with one link: the database lets one of them have it.
      def used_up?(user)
        AutherCutover.settings.model
                     .where(user.class.primary_key => user.id, reset_password_token: user.reset_password_token)
                     .update_all(reset_password_token: nil, reset_password_sent_at: nil) == 1
      end
    end

    # Another password or address, or the end of the account.
    module AccountChange
      CREDENTIALS = %w[email password password_confirmation].freeze

      module_function

      def before(controller)
        scope = AutherCutover.settings.scope
        return unless controller.send(:resource_name) == scope

        user = controller.send(:"current_#{scope}")
        return unless user && changes_account?(controller, user, scope) && Home.account_at_auther?(user)

        AutherCutover.counters.add("auth_logins_refused_total", door: "registration", stage: AutherCutover.stage.stage)
        refuse(controller)
      end

      # A page may keep its own fields in the same form.
      def changes_account?(controller, user, scope)
        return true if controller.action_name == "destroy"

        form = controller.params[scope]
        form.respond_to?(:key?) && CREDENTIALS.any? { |name| form[name].present? && form[name] != user.try(name) }
      end

      def refuse(controller)
        return controller.render(json: { error: "login_moved" }, status: :forbidden) unless Answers.wants_page?(controller.request)

        controller.redirect_to(URI.join(AutherCutover.settings.authorize_url, "/").to_s, status: :see_other, allow_other_host: true)
      end
    end
  end
end
